import json

import pytest

from citewell import Place
from citewell.testing import LoaderContract, SourceContract
from github_server import REPOSITORY, serving


class TestGitHub(SourceContract):
    name = "github"

    @pytest.fixture(autouse=True)
    def github(self):
        with serving() as self.server:
            yield

    def config(self, root):
        return {"repository": REPOSITORY, "api_url": self.server.url}

    def write(self, root, files):
        numbers = {issue["title"]: number for number, issue in self.server.issues.items()}
        for name, text in files.items():
            if name in numbers:
                self.server.edit(numbers[name], body=text)
            else:
                self.server.open(name, text)

    def remove(self, root, name):
        (number,) = (n for n, issue in self.server.issues.items() if issue["title"] == name)
        self.server.delete(number)

    def spoil(self, root):
        self.server.is_gone = True

    def text(self, changed):
        return json.loads(changed.raw.path.read_bytes())["posts"][0]["text"]


class TestGitHubLoader(LoaderContract):
    name = "github"
    quotes = {
        "It stops at once.": Place(headings=("It stops",), anchor="issue-7"),
        "Set the path.": Place(
            headings=("It stops", "bob commented on 2026-02-01"), anchor="issuecomment-8"
        ),
    }

    def samples(self, folder):
        thread = {
            "kind": "Issue",
            "number": 12,
            "repository": "acme/tool",
            "title": "It stops",
            "state": "open",
            "labels": ["bug"],
            "posts": [
                {"author": "al", "day": "2026-01-31", "anchor": "issue-7", "text": BODY},
                {"author": "bob", "day": "2026-02-01", "anchor": "issuecomment-8", "text": REPLY},
            ],
        }
        path = folder / "12.github"
        path.write_text(json.dumps(thread), encoding="utf-8")
        return (path,)


BODY = "It stops at once.\r\n\r\n```\nTraceback: no path\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
REPLY = "# Fix\n\nSet the path.\n\n- one\n- two"
