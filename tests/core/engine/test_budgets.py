"""No budget is overspent by one unit: not by many at once, not by a process that is killed."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

import openai_server as api
from assistants import Kept, answers, write_handbook
from citewell import Outcome
from citewell.cli.indexing import bring_up
from citewell.engine.assistant import Assistant
from citewell.engine.runtime import open_runtime
from citewell.engine.settings import load_settings
from citewell.errors import JournalError
from citewell.journal.database import open_engine
from citewell.journal.ledger import Account, Ledger

SAID = "Every employee has 28 days of paid leave a year [1]."
# A token costs a millionth: a cost in millionths is a number of tokens.
SETTINGS = """
[model.cloud]
use = "litellm"
model = "openai/test"
api_key = {{ env = "CLOUD_KEY" }}
api_base = "{url}"
retries = 0
patience_s = 5
price = {{ input = 1.0, output = 1.0 }}

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "cloud"
fallback = ["quotes"]
max_output_tokens = 100

[budget.team]
limit = {limit}
{more}
"""


@pytest.fixture(autouse=True)
def key(monkeypatch):
    monkeypatch.setenv("CLOUD_KEY", "sk-canary-0123456789")


@asynccontextmanager
async def budgeted(folder, *, limit, more=""):
    """Yield an assistant with a budget, the server that it asks, and the ledger."""
    async with api.serving() as server:
        server.respond = api.say(SAID, tokens=(400, 100))
        config = write_handbook(folder, SETTINGS.format(url=server.url, limit=limit, more=more))
        engine = open_engine(f"sqlite:///{folder / 'journal.sqlite'}")
        ledger = Ledger(engine)
        async with open_runtime(load_settings(config)) as runtime:
            await bring_up(runtime)
            yield Assistant(runtime, Kept(), ledger=lambda: ledger), server, ledger
        engine.dispose()


async def test_two_hundred_at_once_spend_no_unit_too_many(tmp_path):
    limit = 20_000
    async with budgeted(tmp_path, limit=limit / 1e6) as (assistant, server, ledger):
        found = await asyncio.gather(*(answers(assistant, f"Leave? ({n})") for n in range(200)))

    [balance] = ledger.balances()
    by_cloud = [one[-1] for one in found if one[-1].model == "cloud"]
    others = [one[-1] for one in found if one[-1].model == "quotes"]
    assert len(by_cloud) + len(others) == 200
    assert balance.spent == 500 * len(server.requests) == 500 * len(by_cloud)
    assert balance.spent <= limit
    assert balance.reserved == 0
    assert len(by_cloud) > 5
    assert {one.note for one in others} == {"answered by quotes, because cloud is over its budget"}


async def test_each_user_has_an_account(tmp_path):
    async with budgeted(tmp_path, limit=0.003, more='each = "user"') as (assistant, _, ledger):
        for asker in ("ann", "ann", "ann", "ann", "bob"):
            await answers(assistant, asker=asker)

    spent = {one.key.rpartition("/")[2]: one.spent for one in ledger.balances()}
    assert spent["ann"] <= 3_000
    assert spent["bob"] == 500


async def test_a_failure_that_nothing_was_charged_for_costs_nothing(tmp_path):
    async with budgeted(tmp_path, limit=1) as (assistant, server, ledger):
        server.respond = api.fail(401)
        await answers(assistant)
        [unspent] = ledger.balances()
        server.respond = api.stream(api.chunk("Every "), breaks=True)
        await answers(assistant)
        [unknown] = ledger.balances()

    assert (unspent.spent, unspent.reserved) == (0, 0)
    assert unknown.spent > 500
    assert unknown.reserved == 0


async def test_a_model_without_a_price_is_not_asked(tmp_path):
    async with budgeted(tmp_path, limit=1) as (assistant, server, _):
        config = assistant._backends.settings.path
        text = config.read_text().replace("price = { input = 1.0, output = 1.0 }\n", "")
        config.write_text(text)
        async with open_runtime(load_settings(config)) as runtime:
            answer = (await answers(Assistant(runtime, Kept(), ledger=assistant._ledger)))[-1]

    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "quotes")
    assert server.requests == []


def test_a_killed_process_has_spent_no_unit_too_many(tmp_path):
    url = f"sqlite:///{tmp_path / 'journal.sqlite'}"
    limit = 5_000
    script = f"""
import sys, threading
from citewell.journal.database import open_engine
from citewell.journal.ledger import Account, Ledger
ledger = Ledger(open_engine({url!r}))
def spend(worker):
    for number in range(10_000):
        name = f"{{worker}}-{{number}}-{{sys.argv[1]}}"
        if ledger.reserve(name, [Account("a", {limit}), Account("b", {limit * 2})], 7, model="m"):
            return
        with open({str(tmp_path / "spent")!r}, "a") as file:
            file.write("5\\n")
        ledger.settle(name, 5)
        print("x", flush=True)
threads = [threading.Thread(target=spend, args=(n,)) for n in range(4)]
[one.start() for one in threads]
[one.join() for one in threads]
"""
    for number in range(4):
        running = subprocess.Popen(
            [sys.executable, "-c", script, str(number)], stdout=subprocess.PIPE
        )
        for _ in range(60):
            running.stdout.readline()
        os.kill(running.pid, signal.SIGKILL)
        running.wait()
        running.stdout.close()
    done = subprocess.run([sys.executable, "-c", script, "last"], check=True, capture_output=True)
    engine = open_engine(url)
    balances = {one.key: one for one in Ledger(engine).balances()}
    engine.dispose()

    really = 5 * len((tmp_path / "spent").read_text().split())
    assert done.returncode == 0
    assert really <= balances["a"].spent + balances["a"].reserved <= limit
    assert balances["a"].spent == balances["b"].spent
    assert limit - 7 < balances["a"].spent + balances["a"].reserved


@pytest.fixture(scope="module")
def ledger(tmp_path_factory):
    engine = open_engine(f"sqlite:///{tmp_path_factory.mktemp('ledger') / 'journal.sqlite'}")
    yield Ledger(engine)
    engine.dispose()


@given(
    limit=st.integers(0, 100),
    steps=st.lists(st.tuples(st.integers(0, 60), st.none() | st.integers(0, 60)), max_size=12),
)
def test_whatever_is_reserved_and_settled_the_limit_holds(ledger, limit, steps):
    name = uuid4()
    account = Account(f"{name}", limit)
    spent = 0
    for number, (amount, cost) in enumerate(steps):
        charge = f"{name.hex[:20]}{number}"
        full = ledger.reserve(charge, [account], amount, model="m")
        if full is None:
            really = amount if cost is None else min(cost, amount)
            ledger.settle(charge, None if cost is None else really)
            ledger.settle(charge, 1_000)
            spent += really
        else:
            assert spent + amount > limit
    found = {one.key: one for one in ledger.balances()}.get(f"{name}")

    assert spent <= limit
    assert found is None or (found.spent, found.reserved) == (spent, 0)


def test_a_new_day_is_a_new_account():
    from citewell.engine.budget import Budgets
    from citewell.engine.tables import Budget

    budgets = {"b": Budget(limit=1, per="day"), "m": Budget(limit=1, per="month")}
    today = Budgets(budgets, None, now=lambda: datetime(2026, 11, 30, tzinfo=UTC))
    tomorrow = Budgets(budgets, None, now=lambda: datetime(2026, 12, 1, tzinfo=UTC))
    from assistants import question

    keys = [[one.key for one in each._towards("m", question())] for each in (today, tomorrow)]

    assert keys == [
        ["b/2026-11-30/all", "m/2026-11/all"],
        ["b/2026-12-01/all", "m/2026-12/all"],
    ]


async def test_a_budget_can_be_of_a_channel_and_of_one_model(tmp_path):
    more = 'each = "channel"\nmodels = ["cloud"]'
    async with budgeted(tmp_path, limit=0.003, more=more) as (assistant, _, ledger):
        found = [
            (await answers(assistant, channel=channel))[-1].model
            for channel in ("C1", "C1", "C1", "C1", "C1", "C1", "C2")
        ]

    assert (found[0], found[5], found[6]) == ("cloud", "quotes", "cloud")
    spent = {one.key.rpartition("/")[2]: one.spent for one in ledger.balances()}
    assert spent["C2"] == 500
    assert spent["C1"] <= 3_000


async def test_an_answer_of_another_form_costs_what_it_did_cost(tmp_path):
    more = '[profile.form]\nmodel = "cloud"\nchoices = ["billing", "other"]'
    async with budgeted(tmp_path, limit=1, more=more) as (assistant, _, ledger):
        answer = (await answers(assistant, profile="form"))[-1]

    [balance] = ledger.balances()
    assert answer.outcome is Outcome.FAILED
    assert (balance.spent, balance.reserved) == (500, 0)


# LiteLLM drops a coroutine of its own when it is cancelled between two of its steps.
@pytest.mark.filterwarnings("ignore:.*OpenAIChatCompletion")
async def test_whoever_gives_up_before_the_model_is_asked_spends_nothing(tmp_path):
    async with budgeted(tmp_path, limit=1) as (assistant, _, ledger):
        await answers(assistant)
        for pause_ms in range(40):
            task = asyncio.create_task(answers(assistant))
            await asyncio.sleep(pause_ms / 2_000)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    [balance] = ledger.balances()
    assert balance.reserved == 0


async def test_where_the_accounts_cannot_be_kept_what_is_free_answers(tmp_path):
    async with budgeted(tmp_path, limit=1) as (assistant, server, _):
        (tmp_path / "no").write_text("no folder")

        def broken():
            return Ledger(open_engine(f"sqlite:///{tmp_path / 'no' / 'journal.sqlite'}"))

        assistant._ledger = broken
        answer = (await answers(assistant))[-1]

    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "quotes")
    assert server.requests == []


async def test_an_answer_is_shown_though_its_cost_cannot_be_written(tmp_path, caplog):
    async with budgeted(tmp_path, limit=1) as (assistant, _, ledger):

        class Failing(Ledger):
            def settle(self, charge_id, amount):
                raise JournalError("the budgets cannot be written: disk full")

        assistant._ledger = lambda: Failing(ledger._engine)
        answer = (await answers(assistant))[-1]

    [balance] = ledger.balances()
    assert (answer.outcome, answer.model) == (Outcome.ANSWERED, "cloud")
    assert balance.reserved > 0
    assert "stays reserved" in caplog.text
