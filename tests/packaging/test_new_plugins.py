"""What `citewell plugins new` writes is a package that works in an environment of its own.

Nothing of this checkout is there: the wheel writes the package, pip installs it beside the wheel,
and its own tests run.
"""

import tempfile

import pytest

from packages import build_wheel, new_environment

KINDS = ("retriever", "loader", "command")


# What the extras bring has to be fetched and unpacked first.
@pytest.mark.timeout(900)
def test_new_plugins_pass_their_tests_beside_the_wheel(wheel, tmp_path):
    environment = new_environment(tmp_path / "environment")
    environment.install("--no-compile", f"{wheel}[scaffold]", "pytest")
    for kind in KINDS:
        name = f"first-{kind}"
        made = environment.run("citewell", "plugins", "new", name, "--kind", kind, cwd=tmp_path)
        assert made.returncode == 0, made.stderr
        folder = tmp_path / f"citewell-{name}"
        own = build_wheel(folder, tmp_path / "wheels" / kind)
        environment.install("--no-compile", "--no-deps", own)

        # The folder that pytest takes by itself may be another user's.
        with tempfile.TemporaryDirectory(prefix="new-") as base:
            done = environment.run(
                "python", "-m", "pytest", "-q", f"--basetemp={base}/t", cwd=folder
            )

        assert done.returncode == 0, done.stdout + done.stderr
        listed = environment.run("citewell", "plugins", "list", cwd=tmp_path)
        assert f"citewell-{name} 0.1.0" in listed.stdout
