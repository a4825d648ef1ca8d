import os
import shutil
import subprocess

from citewell.testing import SourceContract

AUTHOR = {
    "GIT_AUTHOR_NAME": "a",
    "GIT_AUTHOR_EMAIL": "a@example.org",
    "GIT_COMMITTER_NAME": "a",
    "GIT_COMMITTER_EMAIL": "a@example.org",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "PATH": os.environ["PATH"],
}


def git(root, *arguments):
    subprocess.run(["git", "-C", root, *arguments], env=AUTHOR, check=True, capture_output=True)


class TestGit(SourceContract):
    name = "git"

    def prepare(self, root):
        super().prepare(root)
        git(root, "init", "-q")
        self.write(root, {})

    def write(self, root, files):
        super().write(root, files)
        git(root, "add", "--all")
        git(root, "commit", "-q", "-m", "write", "--allow-empty")

    def remove(self, root, name):
        git(root, "rm", "-q", "--", name)
        git(root, "commit", "-q", "-m", "remove")

    def spoil(self, root):
        shutil.rmtree(root / ".git")
