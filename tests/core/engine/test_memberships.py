"""What a source says is for the members of a channel, chat services know as a group."""

import pytest

from citewell import ConfigError
from citewell.engine.memberships import known_labels
from citewell.engine.settings import load_settings

SETTINGS = """
[library.talk]
use = "slack-history"
channels = ["C0123456", "C0654321"]
bot_token = { file = "token" }
%s

[library.handbook]
use = "files"
path = "docs"

[adapter.slack]
use = "slack"
bot_token = { file = "token" }
app_token = { file = "token" }
groups = { S0123ABC = ["support"], "channel:C0123456" = ["guests"] }

[adapter.discord]
use = "discord"
token = { file = "token" }

[retriever.main]
use = "lexical"

[profile.default]
retriever = "main"
model = "extractive"
"""


@pytest.fixture
def loaded(tmp_path):
    (tmp_path / "token").write_text("xoxb-1")

    def load(more="", settings=SETTINGS):
        path = tmp_path / "citewell.toml"
        path.write_text(settings % more)
        return load_settings(path)

    return load


def test_members_of_each_channel_are_a_group_of_the_service(loaded):
    settings = loaded()

    groups = {name: dict(one.config.groups) for name, one in settings.adapters.items()}

    assert groups["slack"] == {
        "S0123ABC": ["support"],
        "channel:C0123456": ["guests", "slack:C0123456"],
        "channel:C0654321": ["slack:C0654321"],
    }
    assert groups["discord"] == {}


def test_what_documents_may_be_labelled_with(loaded):
    channels = {f"channel:{one}": {f"slack:{one}"} for one in ("C0123456", "C0654321")}
    written = loaded('labels = { "C0123456/**" = ["everyone"] }').libraries["talk"]

    assert known_labels(loaded().libraries["talk"]) == channels
    assert known_labels(loaded().libraries["handbook"]) == {"**": {"everyone"}}
    assert known_labels(written) == {**channels, "C0123456/**": {"everyone"}}


def test_a_channel_is_named_by_its_id(loaded):
    named = SETTINGS.replace('"C0654321"', '"general"')

    with pytest.raises(ConfigError, match=r"library\.talk\.channels"):
        loaded(settings=named)
