"""Writes what the documentation shows of chat services: talks, and which test shows what."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

from citewell.testing import adapter_table
from citewell_discord.testing.rehearsal import DiscordRehearsal
from citewell_slack.testing import SlackDouble
from citewell_slack.testing.rehearsal import SlackRehearsal

ROOT = Path(__file__).resolve().parent.parent

LINES = (
    "What happens to a sentence that fails its checks?",
    "/press Show the quotes",
    "And if no sentence survives?",
    "/press Not helpful",
    "/write It does not say who reads the nearest sources.",
    "/new Who is the chief executive of Citewell?",
    "/press Ask a person",
    "/change What does a reader have?",
    "/delete",
    "/ask What does SIGTERM let end?",
    "/press Share with the channel",
    "/about What happens to a sentence that fails its checks?",
    "/direct What does a reader have?",
    "/press Helpful",
    "/home",
)
"""What is typed; what a service lacks, its talk says."""

SLACK = "tests/adapters/citewell_slack"
DISCORD = "tests/adapters/citewell_discord"
CONTRACT = {
    "slack": f"{SLACK}/test_slack_contract.py::TestSlack",
    "discord": f"{DISCORD}/test_discord_contract.py::TestDiscord",
}

# A cell names a test, below the folder of its adapter; or "contract" and a scenario; or, after a
# dash, why the service does not have this.
FEATURES: tuple[tuple[str, str, str], ...] = (
    (
        "a mention is answered, in a thread of its question",
        "contract a_mention_in_a_channel_is_answered",
        "contract a_mention_in_a_channel_is_answered",
    ),
    (
        "direct messages",
        "contract a_direct_conversation_needs_no_mention",
        "contract a_direct_conversation_needs_no_mention",
    ),
    (
        "a thread goes on without a mention",
        "test_listening.py::test_a_thread_goes_on_without_a_mention",
        "test_incoming.py::test_a_thread_goes_on_without_a_mention",
    ),
    (
        "that is switched off for a channel",
        "test_listening.py::test_a_channel_may_want_a_mention_each_time",
        "test_incoming.py::test_a_channel_may_want_a_mention_each_time",
    ),
    (
        "reply chains: who replies to the bot asks it",
        "- a reply is a thread there",
        "test_incoming.py::test_who_answers_the_bot_asks_it",
    ),
    (
        "a thread for each question",
        "contract each_question_has_its_own_thread",
        "test_replies.py::test_an_answer_stands_in_a_thread_of_its_own",
    ),
    (
        "the command that asks privately",
        "test_listening.py::test_the_command_asks_privately",
        "test_interacting.py::test_a_command_is_acknowledged_once_it_is_kept",
    ),
    (
        "a private answer is shared with the channel",
        "test_pressing.py::test_a_private_answer_is_shared_in_its_channel",
        "test_interacting.py::test_a_shared_answer_goes_to_everyone_there",
    ),
    (
        '"Ask about this" in the menu of a message',
        "test_listening.py::test_a_message_can_be_asked_about",
        "test_interacting.py::test_a_message_can_be_asked_about",
    ),
    (
        "the bot's own page: how to ask, what is indexed, my questions",
        "test_listening.py::test_home_tells_how_to_ask_and_what_is_indexed",
        "- Discord has no page of a bot's own",
    ),
    (
        "suggested questions",
        "test_listening.py::test_the_messages_tab_suggests_questions",
        "- Discord has no place for them",
    ),
    (
        "forum posts are answered, and marked as solved",
        "- Slack has no forums",
        "test_interacting.py::test_a_new_post_is_answered_and_marked_as_solved",
    ),
    (
        "an answer grows as it is written",
        "test_replying.py::test_an_answer_that_grows_is_streamed",
        "test_replies.py::test_an_answer_grows_in_one_message",
    ),
    (
        "where it cannot be streamed, its message is changed",
        "test_replying.py::test_without_streams_the_message_is_changed",
        "- Discord has no streams: changes are the way there",
    ),
    (
        "where it cannot be changed, it is posted",
        "test_replying.py::test_what_cannot_be_changed_is_posted",
        "test_replies.py::test_a_private_reply_whose_token_died_is_repeated_directly",
    ),
    (
        "a card of what was done names the sources",
        "test_replying.py::test_an_answer_that_grows_is_streamed",
        "- Discord has no cards; the sources stand below the answer",
    ),
    (
        "somebody is seen to be at it",
        "test_replying.py::test_an_answer_that_grows_is_streamed",
        "test_replies.py::test_somebody_is_seen_typing_until_there_is_an_answer",
    ),
    (
        "the native form of an answer: markdown, tables, Components V2",
        "test_replying.py::test_a_table_is_a_table",
        "test_encoding.py::test_tables_keep_their_characters",
    ),
    (
        "marks, and sources with title, place and link",
        "test_encoding.py::test_a_source_has_its_title_place_link_and_quotes",
        "test_encoding.py::test_sources_stand_below_a_line_with_title_place_and_link",
    ),
    (
        '"Show the quotes", marked, in their surroundings, to who presses alone',
        "test_pressing.py::test_quotes_are_shown_marked_in_their_surroundings",
        "test_interacting.py::test_quotes_are_shown_in_context_to_who_asks_alone",
    ),
    (
        "whether somebody may read the quotes is asked again",
        "contract quotes_are_refused_to_who_may_not_read_them",
        "contract quotes_are_refused_to_who_may_not_read_them",
    ),
    (
        "votes, with a reason",
        "test_pressing.py::test_who_finds_an_answer_bad_is_asked_why",
        "test_interacting.py::test_who_is_not_helped_is_asked_why",
    ),
    (
        "buttons work after a restart",
        "contract a_vote_after_a_restart_is_kept",
        "test_interacting.py::test_buttons_and_forms_work_after_a_restart",
    ),
    (
        '"Ask a person": told once, with question, answer and sources',
        "test_pressing.py::test_people_are_told_once_with_question_answer_and_sources",
        "test_interacting.py::test_people_are_told_once",
    ),
    (
        "their group or role is named, the only mention there is",
        "test_pressing.py::test_people_are_told_once_with_question_answer_and_sources",
        "test_interacting.py::test_their_role_is_named_and_rung_only_if_so_set",
    ),
    (
        "who may read more than the channel gets the answer privately",
        "contract who_may_read_more_is_offered_it_privately",
        "contract who_may_read_more_is_offered_it_privately",
    ),
    (
        "groups of people read more",
        "test_reading.py::test_groups_may_be_named_by_their_handle",
        "test_readers.py::test_each_distinct_reader_of_a_channel_counts",
    ),
    (
        "files of a question are read",
        "contract files_come_with_their_question",
        "contract files_come_with_their_question",
    ),
    (
        "files that are not read are named",
        "contract a_file_that_cannot_be_read_is_named",
        "contract a_file_that_cannot_be_read_is_named",
    ),
    (
        "a changed question changes its answer",
        "contract a_changed_question_changes_its_answer",
        "contract a_changed_question_changes_its_answer",
    ),
    (
        "an answer goes with its question",
        "contract an_answer_goes_with_its_question",
        "contract an_answer_goes_with_its_question",
    ),
    (
        "an answer can be stopped",
        "test_listening.py::test_who_presses_stop_is_heard",
        "- Discord has no stop button; deleting the question stops its answer",
    ),
    (
        "what was asked while nobody was there is answered",
        "test_catching_up.py::test_mentions_and_direct_messages_are_found_oldest_first",
        "test_missed.py::test_what_was_asked_meanwhile_is_found",
    ),
    (
        "a connection that the bot opens",
        "test_serving.py::test_a_connection_that_breaks_is_made_again",
        "test_connecting.py::test_a_connection_that_breaks_is_resumed",
    ),
    (
        "signed requests instead",
        "test_serving.py::test_signed_requests_are_heard",
        "- gateway alone: messages come in no other way",
    ),
    (
        "a wrong or stale signature is refused",
        "test_serving.py::test_a_wrong_or_stale_signature_is_refused",
        "- there are no requests to sign",
    ),
    (
        "shards",
        "- Slack has none",
        "test_connecting.py::test_shards_are_connected",
    ),
    (
        "several workspaces or servers",
        "test_serving.py::test_workspaces_install_the_app_and_are_answered_apart",
        "- one token is good for every server that invites the bot",
    ),
    (
        "where and whom to answer",
        "test_listening.py::test_nothing_is_answered_where_it_is_not_to_be",
        "test_incoming.py::test_only_who_is_admitted_is_answered",
    ),
    (
        "mentions work without a privileged intent",
        "- Slack has no intents; scopes are in the manifest",
        "test_incoming.py::test_mentions_work_without_the_intent",
    ),
    (
        "what sets the app up, with the least rights",
        "test_manifest.py::test_the_usual_manifest_needs_nothing_but_a_paste",
        "test_command.py::test_the_invitation_names_bot_and_rights",
    ),
    (
        "nothing in an answer pings, links or loads",
        "test_safety.py::test_nothing_in_an_answer_pings_links_or_loads",
        "test_replies.py::test_no_call_rings_anybody",
    ),
    (
        "limits of the service are waited for",
        "test_replying.py::test_a_limit_is_waited_for",
        "test_replies.py::test_too_many_calls_are_waited_for",
    ),
    (
        "another server that speaks the same",
        "test_serving.py::test_the_address_of_slack_may_come_from_the_environment",
        "test_connecting.py::test_two_adapters_speak_to_one_server_or_not_at_all",
    ),
    (
        "a stand-in, to be tried without an account",
        "test_rehearsal.py::test_a_mention_is_answered_in_its_thread",
        "test_rehearsal.py::test_its_settings_are_valid_and_it_can_all_but_a_home",
    ),
)
_RUN = "from citewell.cli.main import main; main()"
_NONE = {"home": "Discord has no page of a bot's own"}


def talk_slack() -> str:
    """Return a talk in the stand-in for Slack."""
    return _talk("slack")


def talk_discord() -> str:
    """Return a talk in the stand-in for Discord."""
    return _talk("discord")


def _talk(service: str) -> str:
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", _RUN, "try", service, "--docs", "docs"],
            check=True,
            cwd=ROOT,
            env={
                "HOME": home,
                "XDG_CACHE_HOME": home,
                "NO_COLOR": "1",
                "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
                "PYTHONIOENCODING": "utf-8",
            },
            input="".join(f"{line}\n" for line in LINES),
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
    shown = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "2026-01-05 09:00 UTC", done.stdout)
    lines = (line.rstrip() for line in shown.rstrip("\n").splitlines())
    return "\n".join([f"````console\n$ citewell try {service} --docs docs", *lines, "````"])


def features() -> str:
    """Return a table of what the services have, each with the test that shows it."""
    rows = [
        f"| {feature} | {_cell('slack', slack)} | {_cell('discord', discord)} |"
        for feature, slack, discord in FEATURES
    ]
    return "\n".join(["| feature | Slack | Discord |", "|---|---|---|", *rows])


def scenarios() -> str:
    """Return a table of the scenarios that every adapter must pass, theme by theme."""
    can = {"slack": SlackRehearsal(SlackDouble()).can, "discord": DiscordRehearsal().can}
    parts = []
    for theme, rows in groupby(adapter_table(can), key=lambda row: row.scenario.theme):
        parts.append(f"### {theme.capitalize()}\n")
        parts += ["| scenario | test | Slack | Discord |", "|---|---|---|---|"]
        for row in rows:
            cells = " | ".join(_claimed(row.lacks[service]) for service in can)
            parts.append(f"| {row.scenario.says} | `test_{row.scenario.name}` | {cells} |")
        parts.append("")
    return "\n".join(parts).rstrip()


def named_tests() -> Iterator[str]:
    """Yield every test that the tables name, as pytest does."""
    for _, slack, discord in FEATURES:
        yield from filter(None, (_test("slack", slack), _test("discord", discord)))
    can = {"slack": SlackRehearsal(SlackDouble()).can, "discord": DiscordRehearsal().can}
    for row in adapter_table(can):
        for service, lacks in row.lacks.items():
            if not lacks:
                yield f"{CONTRACT[service]}::test_{row.scenario.name}"


def _claimed(lacks: tuple[str, ...]) -> str:
    return "; ".join(_NONE[one] for one in lacks) if lacks else "yes"


def _cell(service: str, cell: str) -> str:
    test = _test(service, cell)
    if test is None:
        return cell.removeprefix("- ")
    file, _, name = test.partition("::")
    return f"[`{name.rpartition('::')[2]}`](../../{file})"


def _test(service: str, cell: str) -> str | None:
    if cell.startswith("- "):
        return None
    if cell.startswith("contract "):
        return f"{CONTRACT[service]}::test_{cell.removeprefix('contract ')}"
    return f"{SLACK if service == 'slack' else DISCORD}/{cell}"
