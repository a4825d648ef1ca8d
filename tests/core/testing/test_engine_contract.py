"""The contract of engines holds for one that is right, and notices what is wrong with others."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from citewell import EngineError
from citewell.testing import EngineContract
from engines import ProcessEngine


class TestProcessEngine(EngineContract):
    name = "processes"

    @asynccontextmanager
    async def open(self, folder):
        yield ProcessEngine()


class Here:
    """Runs functions in the process that asks, one after the other."""

    workers = 2
    shares_files = True

    async def call(self, function, task):
        return function(task)


class Mute(Here):
    async def call(self, function, task):
        try:
            return function(task)
        except ValueError as error:
            raise EngineError("it failed") from error


class Shifted(Here):
    """Gives each caller what another one asked for."""

    def __init__(self):
        self.tasks = []

    async def call(self, function, task):
        self.tasks.append(task)
        await asyncio.sleep(0)
        return function(self.tasks.pop())


WRONG = [
    (Shifted(), "test_calls_return_what_the_function_returns", "results belong to their tasks"),
    (Here(), "test_calls_run_on_several_workers_and_not_here", "run on several workers"),
    (Here(), "test_a_function_that_fails_says_why", "no such cupboard"),
    (Mute(), "test_a_function_that_fails_says_why", "it failed"),
]


@pytest.mark.parametrize(("engine", "test", "said"), WRONG)
def test_what_is_wrong_is_noticed(tmp_path, engine, test, said):
    class Subject(EngineContract):
        name = "subject"

        @asynccontextmanager
        async def open(self, folder):
            yield engine

    with pytest.raises((AssertionError, ValueError), match=said):
        getattr(Subject(), test)(tmp_path)
