"""What the plugin offers, and what it does not import for that."""

import json
import subprocess
import sys

import pytest

from citewell import MissingExtra
from citewell_slack import plugin
from citewell_slack.settings import SlackConfig

IMPORTS = """
import json, sys
from citewell_slack import plugin
plugin.register_adapters(), plugin.register_commands()
heavy = {"aiohttp", "slack_bolt", "slack_sdk", "click"}
print(json.dumps(sorted(heavy & sys.modules.keys())))
"""


def test_nothing_heavy_is_imported_to_register():
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], check=True, capture_output=True, text=True
    )

    assert json.loads(done.stdout) == []


def test_the_adapter_and_the_command_are_offered():
    (adapter,) = plugin.register_adapters()
    (command,) = plugin.register_commands()

    assert (adapter.name, adapter.extra) == ("slack", "slack")
    assert command.load().name == "slack"


async def test_without_the_extra_it_says_what_to_install(settings, opening, monkeypatch):
    monkeypatch.setitem(sys.modules, "slack_bolt", None)
    with pytest.raises(MissingExtra, match=r'pip install "citewell\[slack\]"'):
        async with opening(settings()):
            pass


def test_with_oauth_a_group_is_named_by_its_id_alone():
    oauth = {"client_id": "1.2", "client_secret": "secret"}
    settings = {"app_token": "xapp-1", "oauth": oauth}

    with pytest.raises(ValueError, match='groups: "leads" is a handle'):
        SlackConfig(**settings, groups={"S0123ABCD": ["people"], "leads": ["board"]})

    assert SlackConfig(**settings, groups={"S0123ABCD": ["people"]}).groups
