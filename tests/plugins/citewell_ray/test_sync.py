"""A sync whose cluster is not there costs one line."""

from commands import Machine

CONFIG = """\
[library.handbook]
use = "files"
path = "handbook"
[retriever.main]
use = "lexical"
[engine.cluster]
use = "ray"
address = "127.0.0.1:1"
"""


def test_a_cluster_that_is_not_there_is_told_in_one_line(tmp_path):
    machine = Machine(tmp_path)
    (machine.work / "citewell.toml").write_text(CONFIG, encoding="utf-8")

    done = machine.citewell("sync", "--engine", "cluster")

    assert (done.returncode, done.stdout) == (1, "")
    assert "no Ray cluster can be used at '127.0.0.1:1': " in done.stderr
    assert "Connection refused; start one with `ray start --head`" in done.stderr
    assert done.stderr.count("\n") == 1
    assert machine.attempts.read_text() == ""


def test_an_engine_of_another_name_is_refused_with_what_there_is(tmp_path):
    machine = Machine(tmp_path)
    (machine.work / "citewell.toml").write_text(CONFIG, encoding="utf-8")

    done = machine.citewell("sync", "--engine", "clutser")

    assert done.returncode != 0
    assert '[engine.clutser] is not in the settings; did you mean "cluster"?' in done.stderr
