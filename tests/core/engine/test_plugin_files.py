"""A plugin file runs from the bytes that were checked, in every process."""

import pytest

from citewell import DocumentError, RawDocument, UntrustedPlugin
from citewell.engine.plugin_files import is_plugin_file, rerun_plugin_file, run_plugin_file
from citewell.engine.registry import Registry
from citewell.engine.trust import Trust
from citewell.library.reading import Reader

LOADER = """
from contextlib import asynccontextmanager
import citewell

class LogConfig(citewell.Config):
    prefix: str = ""

class LogLoader:
    def __init__(self, prefix):
        self.prefix = prefix

    def load(self, raw):
        text = self.prefix + raw.path.read_text()
        start = citewell.Placed(0, citewell.Place(line=1))
        return citewell.Document(id=raw.id, title=raw.path.name, text=text, places=(start,))

@asynccontextmanager
async def build(config, context):
    yield LogLoader(config.prefix)

@citewell.hookimpl
def register_loaders():
    return [
        citewell.LoaderSpec(
            name="log", summary="logs", config=LogConfig, build=build, suffixes=(".log",)
        )
    ]
"""


@pytest.fixture
def plugin(tmp_path):
    path = tmp_path / "log_loader.py"
    path.write_text(LOADER)
    return path


def test_the_name_stands_for_the_bytes(plugin):
    module = run_plugin_file(plugin, plugin.read_bytes())

    assert is_plugin_file(module.__name__)
    assert rerun_plugin_file(module.__name__, plugin).__name__ == module.__name__
    plugin.write_text(LOADER + "\n")
    with pytest.raises(UntrustedPlugin, match="changed after it was loaded"):
        rerun_plugin_file(module.__name__, plugin)


async def test_another_process_runs_the_same_bytes_or_nothing(plugin, tmp_path):
    trust = Trust(tmp_path / "trusted.json")
    trust.add(plugin, plugin.read_bytes())
    spec = Registry.load(paths=[plugin], trust=trust).loaders["log"]
    log = tmp_path / "night.log"
    log.write_text("22:14 door opened\n")
    raw = RawDocument(id="night.log", path=log)
    config = spec.config(prefix="> ")

    async with Reader(processes=1) as reader:
        document = await reader.read(raw, spec, config)
    assert document.text.startswith("> 22:14 door")

    marker = tmp_path / "ran"
    plugin.write_text(f"open({str(marker)!r}, 'w').close()\n{LOADER}")
    async with Reader(processes=1) as reader:
        with pytest.raises(DocumentError):
            await reader.read(raw, spec, config)
    assert not marker.exists()
