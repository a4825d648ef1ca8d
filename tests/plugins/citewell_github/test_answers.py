import json

from commands import Machine
from github_server import REPOSITORY, serving

SETTINGS = """
[library.bugs]
use = "github"
repository = "{repository}"
api_url = "{url}"
token = {{ env = "TRACKER_TOKEN" }}
labels = {{ "issues/**" = ["everyone"] }}

[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""


def test_an_answer_leads_to_the_comment_that_it_quotes(tmp_path):
    machine = Machine(tmp_path)
    machine.environment["TRACKER_TOKEN"] = "github_pat_not-a-real-one"
    with serving() as github:
        github.token = "github_pat_not-a-real-one"
        github.open("Backup fails at night", "The backup job ends with exit code 73.")
        comment = github.comment(
            1, "The cause is a full disk: free 20 GB on the backup volume before midnight."
        )
        (machine.work / "citewell.toml").write_text(
            SETTINGS.format(repository=REPOSITORY, url=github.url)
        )
        done = machine.citewell("sync")
        uri = f"{github.url}/acme/tool/issues/1"

    asked = machine.citewell("ask", "--json", "How much must be free on the backup volume?")

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 added")
    answer = json.loads(asked.stdout)
    ((citation,),) = [source["citations"] for source in answer["sources"]]
    assert "free 20 GB on the backup volume" in citation["quote"]
    assert citation["uri"] == uri
    assert citation["place"]["anchor"] == f"issuecomment-{comment}"
    assert citation["place"]["headings"][-1] == "bob commented on 2026-01-01"
    assert machine.attempts.read_text() == ""
