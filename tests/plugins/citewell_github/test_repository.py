import asyncio
import json
import logging
import sys
import time
from contextlib import asynccontextmanager

import msgspec
import pytest
from aiohttp import web
from pydantic import ValidationError

from citewell import Context, Gone, MissingExtra, SourceError, Unreadable
from citewell_github import api, listing
from citewell_github.plugin import GitHubConfig, build, register_sources
from citewell_github.threads import decode
from github_server import REPOSITORY, serving

TOKEN = "github_pat_not-a-real-one"


@pytest.fixture
def github():
    with serving() as server:
        yield server


def settings(github, **more):
    return {"repository": REPOSITORY, "api_url": github.url, **more}


@asynccontextmanager
async def opened(folder, config):
    log = logging.getLogger("github")
    context = Context(name="bugs", log=log, data_dir=folder, base_dir=folder)
    async with build(GitHubConfig.model_validate(config), context) as source:
        yield source


class Synced:
    """What one sync said; `known` is what the index has after it."""

    def __init__(self, known):
        self.known = dict(known)
        self.threads = {}
        self.uris = {}
        self.gone = []


async def synced(folder, config, before=None):
    seen = Synced({} if before is None else before.known)
    async with opened(folder, config) as source:
        async for change in source.changes(dict(seen.known)):
            assert not isinstance(change, Unreadable)
            if isinstance(change, Gone):
                seen.gone.append(change.id)
                seen.known.pop(change.id)
            else:
                seen.threads[change.raw.id] = decode(change.raw.path.read_bytes())
                seen.uris[change.raw.id] = change.raw.uri
                seen.known[change.raw.id] = change.version
    return seen


def said(thread):
    return [post.text for post in thread.posts]


# --- what an issue becomes -------------------------------------------------------------------


async def test_an_issue_is_one_document_with_its_comments(github, tmp_path):
    number = github.open("It stops", "At once.", labels=[{"name": "bug"}, "old"])
    comment = github.comment(number, "Set the path.")

    seen = await synced(tmp_path, settings(github))

    thread = seen.threads["issues/1.github"]
    assert (thread.kind, thread.number, thread.title) == ("Issue", 1, "It stops")
    assert (thread.state, thread.labels) == ("open", ("bug", "old"))
    assert [(post.author, post.day, post.text) for post in thread.posts] == [
        ("alice", "2026-01-01", "At once."),
        ("bob", "2026-01-01", "Set the path."),
    ]
    assert thread.posts[0].anchor == f"issue-{github.issues[1]['id']}"
    assert thread.posts[1].anchor == f"issuecomment-{comment}"
    assert seen.uris == {"issues/1.github": f"{github.url}/acme/tool/issues/1"}


async def test_how_an_issue_was_closed_is_told(github, tmp_path):
    closed = {"state": "closed", "closed_at": "2026-02-03T04:05:06Z"}
    github.open("a", **closed, state_reason="not_planned")
    github.open("b", **closed, pull_request={"merged_at": "2026-02-04T00:00:00Z"})

    seen = await synced(tmp_path, settings(github, kinds=["issues", "pulls"]))

    states = [thread.state for thread in seen.threads.values()]
    assert states == ["closed as not planned on 2026-02-03", "merged on 2026-02-04"]
    assert seen.uris["pulls/2.github"].endswith("/acme/tool/pull/2")


async def test_who_is_no_longer_there_is_a_ghost(github, tmp_path):
    github.open("a", None, by="")

    seen = await synced(tmp_path, settings(github))

    assert [(post.author, post.text) for post in seen.threads["issues/1.github"].posts] == [
        ("ghost", "")
    ]


@pytest.mark.parametrize(
    ("api_url", "uri"),
    [
        ("https://api.github.com", "https://github.com"),
        ("https://api.acme.ghe.com", "https://acme.ghe.com"),
        ("https://git.acme.example/api/v3/", "https://git.acme.example"),
    ],
)
def test_links_lead_to_where_people_see_it(api_url, uri):
    from citewell_github.repository import _web_url

    assert _web_url(api_url) == uri


async def test_everything_comes_however_many_pages_it_has(github, tmp_path):
    for number in range(1, 231):
        github.open(f"issue {number}", f"text {number}")
    for number in range(230):
        github.comment(7, f"comment {number}")

    seen = await synced(tmp_path, settings(github))

    assert len(seen.threads) == 230
    assert said(seen.threads["issues/7.github"]) == [
        "text 7",
        *(f"comment {number}" for number in range(230)),
    ]


# --- what changed ----------------------------------------------------------------------------


async def test_what_did_not_change_costs_no_answer(github, tmp_path):
    for number in range(1, 151):
        github.open(f"issue {number}")
    github.comment(1, "one")
    first = await synced(tmp_path, settings(github))
    github.statuses.clear()

    second = await synced(tmp_path, settings(github), first)

    assert (second.threads, second.gone) == ({}, [])
    assert github.statuses == [200, 304, 304, 200], github.requests[-4:]


@pytest.mark.parametrize("full_listing_h", [0, 24])
async def test_an_edited_comment_is_read_again(github, tmp_path, full_listing_h):
    config = settings(github, full_listing_h=full_listing_h)
    number = github.open("a", "text")
    comment = github.comment(number, "one")
    github.open("b")
    first = await synced(tmp_path, config)
    github.edit_comment(comment, "uno")

    second = await synced(tmp_path, config, first)

    assert {id_: said(one) for id_, one in second.threads.items()} == {
        "issues/1.github": ["text", "uno"]
    }


@pytest.mark.parametrize("full_listing_h", [0, 24])
async def test_a_deleted_comment_is_gone_also_when_another_one_came(
    github, tmp_path, full_listing_h
):
    config = settings(github, full_listing_h=full_listing_h)
    number = github.open("a", "text")
    github.comment(number, "one")
    wrong = github.comment(number, "a password")
    first = await synced(tmp_path, config)
    github.delete_comment(wrong)
    github.comment(number, "three")

    second = await synced(tmp_path, config, first)

    assert said(second.threads["issues/1.github"]) == ["text", "one", "three"]
    assert b"a password" not in (tmp_path / "github.sqlite").read_bytes()


async def test_a_new_issue_comes_between_two_full_listings(github, tmp_path):
    config = settings(github, full_listing_h=24)
    github.open("a", "one")
    github.now = github.now.replace(hour=12)
    first = await synced(tmp_path, config)
    github.open("b", "two")
    github.edit(1, title="A")
    github.requests.clear()

    second = await synced(tmp_path, config, first)

    assert [thread.title for thread in second.threads.values()] == ["A", "b"]
    assert all("since=2026-01-01T11%3A58%3A01Z" in path for path in github.requests[1:])


async def test_what_changes_nothing_that_is_read_changes_no_version(github, tmp_path):
    github.open("a", "one")
    first = await synced(tmp_path, settings(github))
    github.edit(1, reactions={"heart": 3}, assignee={"login": "carol"})

    second = await synced(tmp_path, settings(github), first)

    assert second.threads == {}


@pytest.mark.parametrize("how", ["delete", "transfer"])
async def test_an_issue_that_was_deleted_or_transferred_is_gone(github, tmp_path, how):
    github.open("a", "a secret")
    github.comment(1, "another secret")
    github.open("b", "two")
    first = await synced(tmp_path, settings(github))
    getattr(github, how)(1)

    second = await synced(tmp_path, settings(github), first)

    assert second.gone == ["issues/1.github"]
    assert list(second.known) == ["issues/2.github"]
    assert b"secret" not in (tmp_path / "github.sqlite").read_bytes()


async def test_an_issue_that_a_listing_passes_over_is_not_gone(github, tmp_path):
    github.open("a", "one")
    github.open("b", "two")
    first = await synced(tmp_path, settings(github))
    github.unlisted = {1}
    github.edit(1, body="uno")

    second = await synced(tmp_path, settings(github), first)

    assert second.gone == []
    assert said(second.threads["issues/1.github"]) == ["uno"]


async def test_an_issue_that_seemed_gone_comes_back(github, tmp_path):
    github.open("a", "one")
    first = await synced(tmp_path, settings(github))
    github.unlisted = {1}
    github.hook = lambda request: (
        web.json_response({}, status=404) if request.path.endswith("/issues/1") else None
    )
    second = await synced(tmp_path, settings(github), first)
    github.unlisted, github.hook = set(), lambda _: None

    third = await synced(tmp_path, settings(github), second)

    assert second.gone == ["issues/1.github"]
    assert list(third.threads) == ["issues/1.github"]


async def test_with_another_repository_nothing_that_was_known_holds(github, tmp_path):
    github.open("a", "one")
    first = await synced(tmp_path, settings(github))
    github.name = "acme/other"
    github.issues.clear()

    second = await synced(tmp_path, settings(github, repository="acme/other"), first)

    assert second.gone == ["issues/1.github"]


async def test_a_damaged_store_costs_requests_and_nothing_else(github, tmp_path):
    github.open("a", "one")
    first = await synced(tmp_path, settings(github))
    (tmp_path / "github.sqlite").write_bytes(b"no database" * 1000)

    second = await synced(tmp_path, settings(github), first)

    assert (second.threads, second.gone) == ({}, [])


async def test_comments_that_are_shown_to_nobody_are_asked_for_once(github, tmp_path):
    github.open("a", "one", comments=3)
    first = await synced(tmp_path, settings(github))
    await synced(tmp_path, settings(github), first)

    asked = [path for path in github.requests if "/issues/1/comments" in path]

    assert len(asked) == 1


async def test_comments_of_few_issues_are_asked_for_one_by_one(github, tmp_path):
    for number in range(1, 4):
        github.open(f"issue {number}", labels=["faq"] if number == 2 else [])
    for number in range(1, 4):
        for text in range(150):
            github.comment(number, f"{number} {text}")
    github.requests.clear()

    seen = await synced(tmp_path, settings(github, with_labels=["FAQ"]))

    assert len(said(seen.threads["issues/2.github"])) == 151
    asked = [path for path in github.requests if "comments" in path]
    assert len(asked) == 2
    assert all("/issues/2/comments" in path for path in asked)


# --- what is read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "numbers"),
    [
        ({}, [1, 2, 4, 6]),
        ({"kinds": ["pulls"]}, [3]),
        ({"state": "closed"}, [2]),
        ({"with_labels": ["Bug", "faq"]}, [1, 4]),
        ({"without_labels": ["BUG"]}, [2, 4, 6]),
        ({"without_authors": ["Mallory"]}, [1, 2, 6]),
        ({"bots": True}, [1, 2, 4, 5, 6]),
        ({"spam": True}, [1, 2, 4, 6, 7]),
        ({"max_issues": 2}, [4, 6]),
        ({"since": "2026-01-02"}, [6]),
    ],
)
async def test_settings_choose_what_is_read(github, tmp_path, chosen, numbers):
    github.open("1", labels=[{"name": "bug"}])
    github.open("2", state="closed")
    github.open("3", pull_request={"url": "x"})
    github.open("4", by="mallory", labels=[{"name": "FAQ"}])
    github.open("5", by="renovate[bot]")
    github.now = github.now.replace(day=2)
    github.open("6")
    github.open("7", locked=True, active_lock_reason="spam", updated_at="2026-01-01T00:00:00Z")

    seen = await synced(tmp_path, settings(github, **chosen))

    assert [thread.number for thread in seen.threads.values()] == numbers


async def test_settings_choose_whose_comments_are_read(github, tmp_path):
    github.open("a", "text")
    github.comment(1, "by anybody")
    github.comment(1, "by a member", association="MEMBER")
    github.comment(1, "by a bot", by="ci[bot]", association="MEMBER")
    github.comment(1, "by mallory", by="Mallory", association="OWNER")
    chosen = {"comments_by": ["member", "owner"], "without_authors": ["mallory"]}

    seen = await synced(tmp_path, settings(github, **chosen))

    assert said(seen.threads["issues/1.github"]) == ["text", "by a member"]


async def test_what_is_no_longer_chosen_is_gone(github, tmp_path):
    github.open("a")
    first = await synced(tmp_path, settings(github, state="open"))
    github.edit(1, state="closed", closed_at=github.tick())

    second = await synced(tmp_path, settings(github, state="open", full_listing_h=24), first)

    assert second.gone == ["issues/1.github"]


# --- limits and failures ---------------------------------------------------------------------


async def test_a_sync_waits_for_a_limit_that_ends_soon(github, tmp_path):
    github.open("a", "one")
    github.remaining, github.reset_s = 1, 1
    begin = time.monotonic()
    github.hook = lambda _: setattr(github, "remaining", 9) if len(github.requests) > 1 else None

    seen = await synced(tmp_path, settings(github))

    assert list(seen.threads) == ["issues/1.github"]
    assert time.monotonic() - begin > 1
    assert 403 not in github.statuses, "it asked although it knew that it may not"


async def test_a_limit_that_lasts_ends_the_sync_and_loses_nothing(github, tmp_path):
    for number in range(1, 251):
        github.open(f"issue {number}")
    first = Synced({"issues/1.github": "known"})
    github.remaining = 3

    with pytest.raises(SourceError, match=r"no more requests until \d\d:\d\d UTC.*with a token"):
        await synced(tmp_path, settings(github), first)
    asked = len(github.requests)
    github.remaining = None
    github.statuses.clear()
    second = await synced(tmp_path, settings(github), first)

    assert asked == 3
    assert github.statuses[:4] == [200, 304, 304, 200], "what was read was asked for again"
    assert len(second.threads) == 250


@pytest.mark.parametrize("status", [403, 429])
async def test_a_secondary_limit_is_waited_for(github, tmp_path, status):
    github.open("a", "one")
    answers = iter([web.json_response({}, status=status, headers={"Retry-After": "1"})])
    github.hook = lambda _: next(answers, None)

    seen = await synced(tmp_path, settings(github))

    assert list(seen.threads) == ["issues/1.github"]
    assert github.statuses[:2] == [status, 200]


async def test_a_limit_without_a_time_is_not_run_against(github, tmp_path):
    github.hook = lambda _: web.json_response(
        {"message": "You have exceeded a secondary rate limit"}, status=403
    )

    with pytest.raises(SourceError, match="no more requests until"):
        await synced(tmp_path, settings(github, patience_s=30))

    assert len(github.requests) == 1


async def test_a_short_outage_is_got_over(github, tmp_path):
    github.open("a", "one")
    answers = iter([web.Response(status=502, text="oops"), web.Response(status=503)])
    github.hook = lambda _: next(answers, None)

    seen = await synced(tmp_path, settings(github))

    assert list(seen.threads) == ["issues/1.github"]


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"status": 401, "text": '{"message": "Bad credentials"}'}, "the token is refused"),
        ({"status": 404, "text": "{}"}, '"acme/tool" is not there, or the token may not read it'),
        ({"status": 403, "text": '{"message": "Resource not accessible"}'}, "it answers 403"),
        ({"status": 451, "text": "{}"}, "it answers 451"),
    ],
)
async def test_what_github_refuses_is_said_in_one_line(github, tmp_path, answer, expected):
    github.hook = lambda _: web.Response(**answer)

    with pytest.raises(SourceError, match=expected) as raised:
        await synced(tmp_path, settings(github, token=TOKEN), Synced({"issues/1.github": "x"}))

    assert "\n" not in str(raised.value)
    assert TOKEN not in str(raised.value)


@pytest.mark.parametrize("text", ["<html>", "{}", '[{"number": "one"}]', "[" * 100_000])
async def test_an_answer_of_another_server_is_no_loss(github, tmp_path, text):
    github.open("a")
    first = await synced(tmp_path, settings(github))
    github.edit(1, body="x")
    github.hook = lambda request: (
        web.Response(text=text) if request.path.endswith("/issues") else None
    )

    with pytest.raises(SourceError, match="answers what GitHub would not") as raised:
        await synced(tmp_path, settings(github), first)

    assert "\n" not in str(raised.value)


async def test_issues_that_are_switched_off_are_said_to_be(github, tmp_path):
    github.hook = lambda request: (
        web.Response(status=410, text="{}") if request.path.endswith("/issues") else None
    )

    with pytest.raises(SourceError, match="may be switched off"):
        await synced(tmp_path, settings(github), Synced({"issues/1.github": "x"}))


async def test_an_answer_without_end_is_not_read_to_its_end(github, tmp_path, monkeypatch):
    github.open("a", "x" * 3 * 2**20)
    monkeypatch.setattr(api, "_MOST_BYTES", 2**20)

    with pytest.raises(SourceError, match="more than 1 MB at once"):
        await synced(tmp_path, settings(github))


async def test_nobody_there_is_said_in_one_line(github, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "_ATTEMPTS", 2)

    with pytest.raises(SourceError, match=r"^library\.bugs: http://127\.0\.0\.1:9: it does not"):
        await synced(tmp_path, {"repository": REPOSITORY, "api_url": "http://127.0.0.1:9"})


# --- the token -------------------------------------------------------------------------------


async def test_a_private_repository_is_read_with_the_token(github, tmp_path):
    github.token = TOKEN
    github.open("a", "one")

    seen = await synced(tmp_path, settings(github, token=TOKEN))

    assert list(seen.threads) == ["issues/1.github"]
    assert set(github.tokens) == {f"Bearer {TOKEN}"}
    assert TOKEN not in repr(GitHubConfig.model_validate(settings(github, token=TOKEN)))


async def test_a_repository_that_was_renamed_is_followed(github, tmp_path):
    github.open("a", "one")
    github.name = "acme/renamed"

    seen = await synced(tmp_path, settings(github, token=TOKEN))

    assert list(seen.threads) == ["issues/1.github"]


@pytest.mark.parametrize("where", ["redirect", "link"])
async def test_another_host_is_never_asked(github, tmp_path, where):
    github.open("a", "one")
    with serving() as elsewhere:

        def lead_away(request):
            if where == "redirect" and request.path.endswith("/tool"):
                return web.Response(status=301, headers={"Location": f"{elsewhere.url}/x"})
            if where == "link" and request.path.endswith("/issues"):
                return web.Response(text="[]", headers={"Link": f'<{elsewhere.url}/x>; rel="next"'})
            return None

        github.hook = lead_away
        with pytest.raises(SourceError, match="leads to another host"):
            await synced(tmp_path, settings(github, token=TOKEN))

        assert elsewhere.requests == []


@pytest.mark.parametrize(
    ("wrong", "expected"),
    [
        ({"repository": "tool"}, "repository"),
        ({"repository": "acme/tool/../x"}, "repository"),
        ({"api_url": "http://git.acme.example/api/v3", "token": TOKEN}, 'expected "https://"'),
        ({"api_url": "ftp://git.acme.example"}, "api_url"),
        ({"kinds": ["discussions"]}, "kinds"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong, expected):
    with pytest.raises(ValidationError, match=expected) as raised:
        GitHubConfig.model_validate({"repository": REPOSITORY, **wrong})

    assert TOKEN not in str(raised.value)


# --- files -----------------------------------------------------------------------------------


async def test_files_are_gone_when_the_source_is_closed(github, tmp_path):
    github.open("a", "one")

    await synced(tmp_path, settings(github))

    assert [path.name for path in tmp_path.iterdir()] == ["github.sqlite"]


async def test_a_comment_of_ten_megabytes_costs_only_itself(github, tmp_path):
    github.open("a", "one")
    github.comment(1, "x " * 5 * 2**20)
    github.open("b", "two")

    seen = await synced(tmp_path, settings(github))

    assert len(seen.threads["issues/1.github"].posts[1].text) == 10 * 2**20
    assert said(seen.threads["issues/2.github"]) == ["two"]


@pytest.mark.parametrize("package", ["httpx", "tenacity"])
async def test_a_missing_extra_is_named(tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(MissingExtra, match=rf'"bugs" needs {package}.*"citewell\[github\]"'):
        async with opened(tmp_path, {"repository": REPOSITORY}):
            raise AssertionError("it was opened")


def test_it_is_offered():
    (spec,) = register_sources()

    assert spec.name == "github"
    assert json.loads(spec.config(repository=REPOSITORY).model_dump_json())["kinds"] == ["issues"]


async def test_a_list_that_leads_back_to_itself_ends(github, tmp_path, monkeypatch):
    github.open("It stops", "At once.")
    get = api.Api.get

    async def told(self, url, *, etag=None):
        reply = await get(self, url, etag=etag)
        return msgspec.structs.replace(reply, next=url)

    monkeypatch.setattr(api.Api, "get", told)

    with pytest.raises(SourceError, match="leads back to a page that was read"):
        async with asyncio.timeout(5):
            await synced(tmp_path, settings(github))


async def test_a_wait_of_ages_is_told(github, tmp_path, monkeypatch):
    monkeypatch.setattr(api.Api, "_check_open", _limit)

    with pytest.raises(SourceError, match="wants no more requests until"):
        await synced(tmp_path, settings(github))


def _limit(asked):
    raise asked._limited(1e20)


def answering(path, value, **headers):
    """Return a hook that answers what ends with `path`."""

    def hook(request):
        if not request.path.endswith(path):
            return None
        return web.Response(
            text=json.dumps(value), headers=headers, content_type="application/json"
        )

    return hook


async def test_comments_of_an_issue_that_lead_back_to_themselves_end(github, tmp_path):
    github.open("It stops", "At once.")
    github.comment(1, "Never.")

    def hook(request):
        if request.path.endswith("/issues/1/comments"):
            link = f'<{github.url}{request.path_qs}>; rel="next"'
            return answering("", [], Link=link)(request)
        return answering("/issues/comments", [])(request)

    github.hook = hook

    with pytest.raises(SourceError, match="leads back to a page that was read"):
        async with asyncio.timeout(5):
            await synced(tmp_path, settings(github))


async def test_a_list_of_ever_new_pages_ends(github, tmp_path, monkeypatch):
    monkeypatch.setattr(listing, "_MOST_PAGES", 5)

    def hook(request):
        onwards = f"{github.url}/issues?page={len(github.requests)}"
        return answering("/issues", [], Link=f'<{onwards}>; rel="next"')(request)

    github.hook = hook

    with pytest.raises(SourceError, match="has more than 5 pages"):
        async with asyncio.timeout(5):
            await synced(tmp_path, settings(github))


COMMENT = {"id": 1, "created_at": "2026-01-01T00:00:00Z", "issue_url": "https://x/issues/1"}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/comments", COMMENT | {"issue_url": "https://x/issues/one"}),
        ("/comments", COMMENT | {"id": 2**63}),
        ("/issues", {"id": 1, "number": 2**63, "title": "a", "state": "open"}),
        ("/issues", {"id": 1, "number": -1, "title": "a", "state": "open"}),
    ],
)
async def test_numbers_that_github_would_not_give_are_refused(github, tmp_path, path, wrong):
    github.open("a")
    github.comment(1, "b")
    times = {"created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z"}
    github.hook = answering(path, [wrong | times])

    with pytest.raises(SourceError, match="answers what GitHub would not"):
        await synced(tmp_path, settings(github))


async def test_a_link_that_is_no_address_is_not_followed(github, tmp_path):
    github.hook = answering("/issues", [], Link='<http://[::1>; rel="next"')

    with pytest.raises(SourceError, match="leads to another host"):
        await synced(tmp_path, settings(github))


async def test_an_answer_that_trickles_is_given_up(github, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "_MOST_S", 0.2)
    monkeypatch.setattr(api, "_ATTEMPTS", 1)

    github.hook = lambda _: Trickling()

    with pytest.raises(SourceError, match="does not answer: TimeoutError"):
        async with asyncio.timeout(5):
            await synced(tmp_path, settings(github))


class Trickling(web.StreamResponse):
    """Gives a blank now and then."""

    async def prepare(self, request):
        writer = await super().prepare(request)
        for _ in range(40):
            await self.write(b" ")
            await asyncio.sleep(0.05)
        return writer
