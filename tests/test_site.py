"""The documentation as a site: it builds without a warning, and names what authors meet."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import citewell.testing
from citewell import hookspecs, protocols, specs

pytest.importorskip("mkdocstrings")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
    )
    assert built.returncode == 0, built.stderr
    return folder


def named(site, page):
    return set(re.findall(r'id="([\w.]+)"', (site / "reference" / page).read_text("utf-8")))


def test_every_hook_is_described(site):
    hooks = [name for name, value in vars(hookspecs).items() if hasattr(value, "citewell_spec")]

    assert hooks
    assert {f"citewell.hookspecs.{name}" for name in hooks} <= named(site, "hooks.html")


@pytest.mark.parametrize(
    ("module", "page"), [(protocols, "protocols.html"), (specs, "specs.html")], ids=["what", "how"]
)
def test_every_protocol_and_spec_is_described(site, module, page):
    classes = [
        name
        for name, value in vars(module).items()
        if isinstance(value, type) and value.__module__ == module.__name__ and name[0] != "_"
    ]

    assert {f"{module.__name__}.{name}" for name in classes} <= named(site, page)


def test_every_contract_is_described(site):
    text = (site / "reference" / "contracts.html").read_text("utf-8")

    contracts = [name for name in citewell.testing.__all__ if name.endswith("Contract")]
    assert [name for name in contracts if f'id="{name.lower()}"' not in text] == []


def test_nothing_is_fetched_from_elsewhere(site):
    fetched = [
        found
        for page in site.rglob("*.html")
        for found in re.findall(r'<(?:script|img|link|iframe)[^>]*(?:src|href)="(https?:[^"]+)"',
                                page.read_text("utf-8"))
    ]  # fmt: skip

    assert fetched == []
