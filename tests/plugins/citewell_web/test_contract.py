from urllib.parse import quote

import pytest

from citewell.testing import SourceContract
from websites import settings, website


class TestWeb(SourceContract):
    name = "web"

    @pytest.fixture(autouse=True)
    def _served(self):
        with website() as self.site:
            yield

    def config(self, root):
        return settings(self.site, include=["*.md"])

    def prepare(self, root):
        super().prepare(root)
        self.write(root, {})

    def write(self, root, files):
        for name, text in files.items():
            self.site.put(f"/{quote(name)}", text, "text/markdown")
        self._lead_to_all()

    def remove(self, root, name):
        del self.site.pages[f"/{quote(name)}"]
        self._lead_to_all()

    def spoil(self, root):
        self.site.down = 500

    def _lead_to_all(self):
        self.site.link("/", *(path for path in self.site.pages if path != "/"))
