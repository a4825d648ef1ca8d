"""The manifest has the fields of Slack's own manifests, and no more scopes than features need."""

import json
from itertools import combinations

import pytest
from click.testing import CliRunner

from citewell_slack.command import slack
from citewell_slack.manifest import FEATURES, App, manifest, scopes
from citewell_slack.testing.api import SCOPES
from citewell_slack.testing.events import SUBSCRIPTIONS

# Source: https://docs.slack.dev/reference/app-manifest, the fields that an app of ours may have.
FIELDS = {
    "": {"display_information", "features", "oauth_config", "settings"},
    "display_information": {"name", "description"},
    "features": {"agent_view", "app_home", "bot_user", "shortcuts", "slash_commands"},
    "features.agent_view": {"agent_description", "suggested_prompts"},
    "features.agent_view.suggested_prompts": {"title", "message"},
    "features.shortcuts": {"name", "type", "callback_id", "description"},
    "features.slash_commands": {"command", "url", "description", "usage_hint", "should_escape"},
    "features.app_home": {
        "home_tab_enabled",
        "messages_tab_enabled",
        "messages_tab_read_only_enabled",
    },
    "features.bot_user": {"display_name", "always_online"},
    "oauth_config": {"redirect_urls", "scopes"},
    "oauth_config.scopes": {"bot"},
    "settings": {
        "event_subscriptions",
        "interactivity",
        "org_deploy_enabled",
        "socket_mode_enabled",
        "token_rotation_enabled",
    },
    "settings.event_subscriptions": {"request_url", "bot_events"},
    "settings.interactivity": {"is_enabled", "request_url"},
}


def printed(*options):
    done = CliRunner().invoke(slack, ["manifest", *options])
    assert done.exit_code == 0, done.output
    return json.loads(done.output)


def check(value, path=""):
    if isinstance(value, list):
        for one in value:
            check(one, path)
    elif isinstance(value, dict):
        assert value.keys() <= FIELDS[path], path
        for name, one in value.items():
            check(one, f"{path}.{name}".removeprefix("."))


def test_the_usual_manifest_needs_nothing_but_a_paste():
    made = printed()

    check(made)
    assert made["settings"]["socket_mode_enabled"] is True
    assert "request_url" not in json.dumps(made)
    assert made["features"]["slash_commands"][0]["command"] == "/ask"
    assert made["features"]["shortcuts"][0]["callback_id"] == "ask_about_this"
    assert "agent_view" in made["features"]
    assert "assistant_view" not in made["features"]


def test_signed_http_names_its_address_everywhere():
    url = "https://bot.example.com/slack/events"
    made = printed("--url", url, "--redirect-url", "https://bot.example.com/slack/oauth_redirect")

    check(made)
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["event_subscriptions"]["request_url"] == url
    assert made["settings"]["interactivity"]["request_url"] == url
    assert made["features"]["slash_commands"][0]["url"] == url
    assert made["oauth_config"]["redirect_urls"]
    assert "app_uninstalled" in made["settings"]["event_subscriptions"]["bot_events"]


@pytest.mark.parametrize("feature", FEATURES)
def test_what_is_left_out_asks_for_no_more(feature):
    made = manifest(App(features=frozenset(FEATURES) - {feature}))

    check(made)
    assert made != manifest(App())
    assert {*made["oauth_config"]["scopes"]["bot"]} <= {*scopes()}


@pytest.mark.parametrize("url", [None, "https://bot.example.com/slack/events"])
@pytest.mark.parametrize("redirect_url", [None, "https://bot.example.com/slack/oauth_redirect"])
@pytest.mark.parametrize("prompts", [(), (("Leave", "How many days of leave?"),)])
def test_whatever_an_app_is_to_do_its_manifest_has_the_fields_of_slack(url, redirect_url, prompts):
    chosen = [
        set(some) for count in range(len(FEATURES) + 1) for some in combinations(FEATURES, count)
    ]

    for features in chosen:
        app = App(features=frozenset(features), url=url, redirect_url=redirect_url, prompts=prompts)
        made = manifest(app)
        check(made)
        assert {*made["oauth_config"]["scopes"]["bot"]} <= SCOPES
        assert {*made["settings"]["event_subscriptions"]["bot_events"]} <= SUBSCRIPTIONS
    assert len(chosen) == 2 ** len(FEATURES)


def test_every_scope_and_event_is_one_of_slack():
    made = manifest(App(redirect_url="https://x.example"))

    assert {*made["oauth_config"]["scopes"]["bot"]} <= SCOPES
    assert {*made["settings"]["event_subscriptions"]["bot_events"]} <= SUBSCRIPTIONS


def test_prompts_are_suggested():
    made = printed("--prompt", "Leave", "How many days?")

    assert made["features"]["agent_view"]["suggested_prompts"] == [
        {"title": "Leave", "message": "How many days?"}
    ]


@pytest.mark.parametrize(
    "options",
    [
        ["--name", "x" * 36],
        ["--description", "x" * 141],
        ["--command", "ask"],
        ["--command", "/"],
        ["--command", "/Ask_Me"],
        ["--command", "/ask\n"],
        ["--url", "http://plain.example"],
        ["--without", "everything"],
        ["--prompt", "a", "b"] * 5,
        ["--prompt", "x" * 151, "b"],
        ["--prompt", "", "b"],
        ["--prompt", "a", ""],
    ],
)
def test_what_slack_would_refuse_is_refused_here(options):
    done = CliRunner().invoke(slack, ["manifest", *options])

    assert done.exit_code == 2
    assert "Error: " in done.output


def test_help_shows_how():
    done = CliRunner().invoke(slack, ["manifest", "--help"])

    assert "citewell slack manifest --name Handbook" in done.output
