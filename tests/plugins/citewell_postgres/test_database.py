"""What a database, its administrator, and whoever writes names and texts can come up with."""

import asyncio
import random
import uuid
from contextlib import asynccontextmanager

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from citewell import Audience, StoreError
from citewell.testing.documents import make_document
from citewell_postgres.database import Database
from lexical import document, found, whole
from postgres_index import FIRST, indexed, opened_at

MANY = [
    make_document(f"d{number}", *(f"beacon {number} {part} {'word ' * 40}" for part in range(20)))
    for number in range(100)
]


@asynccontextmanager
async def administrator(url):
    connection = await psycopg.AsyncConnection.connect(url.replace("+psycopg", ""), autocommit=True)
    async with connection:
        yield connection


@asynccontextmanager
async def role_of(url, *settings):
    """Yield the name of a new role with `settings`, and the address of its database."""
    name = f"role_{uuid.uuid4().hex[:12]}"
    async with administrator(url) as admin:
        await admin.execute(f"CREATE ROLE {name} LOGIN")
        for setting in settings:
            await admin.execute(f"ALTER ROLE {name} {setting}")
        yield name, url.replace("postgres:@", f"{name}:@")


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ['x"; DROP SCHEMA public CASCADE; --', "it's", 'q"q', "%s", "{}", "a.b", "$user", "Ä %", "\\"],
)
async def test_no_name_is_taken_for_a_statement(new_url, name):
    made = make_document(f"d{name}", f"fox {name}", labels=[name, "'; DROP TABLE state; --"])
    async with opened_at(new_url, schema=name, embedders=FIRST) as retriever:
        await indexed(retriever, [made])

        (one,) = await found(retriever, f"fox {name}", readable_by=Audience.of(name))
        assert one.text == f"fox {name}"
        await retriever.delete([made.id])
        assert await retriever.versions() == {}
    async with administrator(new_url) as admin:
        rows = await admin.execute("SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_'")
        assert {row[0] for row in await rows.fetchall()} == {name, "public", "information_schema"}


async def test_a_name_that_would_be_cut_is_refused(new_url):
    """Two that differ at their end would be one schema, and its readers would be mixed."""
    longest = "\u00e4" * 31
    async with opened_at(new_url, schema=longest) as retriever:
        await retriever.index([document("a", 1)])
    for name in ("x", "y"):
        with pytest.raises(
            StoreError, match=r'more than 63 bytes; give it a shorter one with "sch'
        ):
            async with opened_at(new_url, schema=f"{longest}{name}\u00e4"):
                pass


# --- texts ------------------------------------------------------------------------------------


async def test_any_text_comes_back_and_can_be_asked_for(new_url):
    texts = [
        "nul\0inside",
        "\ud800 half of a pair",
        "\x1a0000",
        "a" * 200_000,
        " ".join(f"w{number}" for number in range(40_000)),
        "",
        "\u200b",
        "\u00e9" * 5000,
    ]
    made = [
        make_document(f"n\0\ud800{at}", text, labels=["l\0", "m\ud800"], language="x\0\ud800")
        for at, text in enumerate(texts)
    ]
    ids = [one.passages[0].id for one in made]
    async with opened_at(new_url, embedders=FIRST) as retriever:
        await indexed(retriever, made)

        fetched = await retriever.fetch(ids, readable_by=Audience.of("l\0"))
        assert [(one.text, one.document_id) for one in fetched] == [
            (text, one.id) for text, one in zip(texts, made, strict=True)
        ]
        for text in ("nul\0inside", "\ud800 half", "w1", "w" * 300_000):
            await found(retriever, text, readable_by=Audience.of("m\ud800"))
        assert await found(retriever, "nul\0inside", readable_by=Audience.of("l")) == []
        await retriever.delete([one.id for one in made])
        assert await retriever.versions() == {}


# --- rights and bounds --------------------------------------------------------------------------


async def test_what_a_role_may_not_do_is_said_with_the_fix(new_url):
    async with (
        role_of(new_url) as (role, url),
        administrator(new_url) as admin,
        opened_at(url, schema="own") as retriever,
    ):
        with pytest.raises(StoreError, match=r"lacks the extension pgvector.*CREATE EXTENSION"):
            await found(retriever, "fox")
        await admin.execute("CREATE EXTENSION vector")
        with pytest.raises(StoreError, match=r"permission denied.*let the user of the url own"):
            await found(retriever, "fox")
        await admin.execute(f"CREATE SCHEMA own AUTHORIZATION {role}")

        # Nothing of that is remembered.
        await retriever.index([document("a", 1)])
        assert await whole(retriever) == {"a": "1"}


async def test_a_role_that_may_only_read_can_answer(new_url):
    async with opened_at(new_url, schema="own", embedders=FIRST) as retriever:
        await indexed(retriever, [document("a", 1)])
    async with role_of(new_url) as (role, url), administrator(new_url) as admin:
        await admin.execute(f"GRANT USAGE ON SCHEMA own TO {role}")
        await admin.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA own TO {role}")
        async with opened_at(url, schema="own", embedders=FIRST) as retriever:
            assert await whole(retriever) == {"a": "1"}
            with pytest.raises(StoreError, match=r"permission denied.*let the user of the url own"):
                await retriever.index([document("b", 1)])
            assert await whole(retriever) == {"a": "1"}


async def test_bounds_that_are_meant_for_questions_do_not_stop_a_large_change(new_url):
    bounds = [
        "SUPERUSER",
        "SET statement_timeout = '20ms'",
        "SET idle_in_transaction_session_timeout = '20ms'",
        "SET lock_timeout = '20ms'",
    ]
    async with opened_at(new_url, schema="own") as retriever:
        await retriever.index([document("a", 1)])
    async with role_of(new_url, *bounds) as (_, url), opened_at(url, schema="own") as retriever:
        await retriever.index(MANY)

        assert len(await retriever.versions()) == len(MANY) + 1


async def test_a_question_that_takes_too_long_for_the_server_says_which_bound(new_url):
    async with opened_at(new_url, schema="own") as retriever:
        await retriever.index([document("a", 1)])
    async with (
        role_of(new_url, "SUPERUSER", "SET statement_timeout = '200ms'") as (_, url),
        administrator(new_url) as admin,
        opened_at(url, schema="own") as retriever,
    ):
        async with admin.transaction():
            await admin.execute("LOCK TABLE own.passages IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(StoreError, match="raise statement_timeout for the user"):
                await found(retriever, "beacon")
        assert len(await found(retriever, "beacon")) == 3


def test_the_address_has_the_last_word_about_its_connections():
    given = "postgresql://somebody@host/name?connect_timeout=3&keepalives_idle=7"
    database = Database(given, schema="own", name="main", max_connections=1)

    known = conninfo_to_dict(database.place[0])
    assert (known["connect_timeout"], known["keepalives_idle"]) == ("3", "7")
    assert int(known["tcp_user_timeout"]) == 60_000


# --- connections ------------------------------------------------------------------------------


async def test_a_connection_that_is_lost_amid_a_change_leaves_what_was_there(new_url):
    async with opened_at(new_url) as retriever, administrator(new_url) as admin:
        await retriever.index([document("a", 1)])
        lost = []
        for delay_s in (0.02, 0.05, 0.1, 0.2, 0.4, 0.8):
            changing = asyncio.ensure_future(retriever.index(MANY))
            await asyncio.sleep(delay_s)
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE pid <> pg_backend_pid() AND datname = current_database()"
            )
            try:
                await changing
                await retriever.delete([one.id for one in MANY])
            except StoreError as error:
                lost.append(str(error))
            assert await whole(retriever) == {"a": "1"}
    assert lost
    assert not any("\n" in line for line in lost)


async def test_questions_that_are_given_up_leave_no_connection_behind(new_url):
    chance = random.Random(3)
    async with opened_at(new_url, embedders=FIRST, max_connections=3) as retriever:
        await indexed(retriever, [document(f"d{number}", 1) for number in range(50)])
        for _ in range(60):
            asked = [asyncio.ensure_future(found(retriever, "beacon")) for _ in range(5)]
            await asyncio.sleep(chance.random() * 0.02)
            for one in asked:
                one.cancel()
            await asyncio.gather(*asked, return_exceptions=True)

        many = await asyncio.gather(*(found(retriever, "beacon") for _ in range(20)))
        assert {len(one) for one in many} == {50}
        async with administrator(new_url) as admin:
            rows = await admin.execute(
                "SELECT state FROM pg_stat_activity WHERE datname = current_database() "
                "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            states = [state for (state,) in await rows.fetchall()]
    assert set(states) == {"idle"}
    # Those that read, and the one that writes.
    assert len(states) <= 3 + 1


async def test_more_questions_than_connections_wait_their_turn(place):
    async with opened_at(**place, max_connections=1) as retriever:
        await retriever.index([document("a", 1)])

        many = await asyncio.gather(*(found(retriever, "beacon") for _ in range(100)))

    assert {len(one) for one in many} == {3}


async def test_an_index_of_another_format_is_refused_with_the_fix(place):
    async with opened_at(**place) as retriever:
        await retriever.index([document("a", 1)])
    state = sql.Identifier(place["schema"], "state")
    async with administrator(place["url"]) as admin:
        await admin.execute(sql.SQL("UPDATE {} SET format = 1").format(state))
    async with opened_at(**place) as retriever:
        with pytest.raises(StoreError, match=r"has format 1.*and run: citewell sync"):
            await retriever.versions()
