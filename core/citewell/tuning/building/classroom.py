"""A runtime in which the model is a teacher, and the passages are those of a lesson."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import MappingProxyType
from typing import Any

from msgspec.structs import replace

from citewell.engine.breaker import Breaker
from citewell.engine.runtime import Runtime
from citewell.engine.settings import Settings
from citewell.evaluation.arranging import Arranged, Arrangement
from citewell.types.questions import Delta, Prompt, Usage


class Teacher:
    """A model that keeps what it is asked, and answers as `write` says.

    Args:
        write: given the prompt, returns the answer.
    """

    def __init__(self, write: Callable[[Prompt], str]) -> None:
        self._write = write
        self.prompt: Prompt | None = None

    async def generate(self, prompt: Prompt) -> AsyncIterator[Delta | Usage]:
        """Yield the answer."""
        self.prompt = prompt
        yield Delta(self._write(prompt))
        yield Usage()


class Classroom:
    """A runtime in all but its models, its retrievers and its budgets.

    Args:
        runtime: the components.
        teacher: answers instead of every model.
        arrangement: of the passages.
    """

    trials = None

    def __init__(self, runtime: Runtime, teacher: Teacher, arrangement: Arrangement) -> None:
        self._runtime = runtime
        self._teacher = teacher
        self._arrangement = arrangement
        self._arranged: dict[str, Arranged] = {}
        self.settings: Settings = replace(runtime.settings, budgets=_NOTHING)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._runtime, name)

    @asynccontextmanager
    async def lease(self) -> AsyncIterator[Classroom]:
        """Yield it."""
        yield self

    async def model(self, name: str, *, makes_room: bool = False) -> Teacher:  # noqa: ARG002 - as of a runtime
        """Return the teacher."""
        return self._teacher

    def is_local(self, name: str) -> bool:  # noqa: ARG002 - whoever is named, the teacher answers
        """Tell that nothing leaves this machine."""
        return True

    def is_ready(self, name: str) -> bool:  # noqa: ARG002 - likewise
        """Tell that the teacher need not be loaded."""
        return True

    def breaker(self, name: str) -> Breaker:  # noqa: ARG002 - likewise
        """Return one that nothing broke."""
        return Breaker()

    async def retriever(self, name: str) -> Arranged:
        """Return what finds the passages of the lesson."""
        if name not in self._arranged:
            retriever = await self._runtime.retriever(name)
            self._arranged[name] = Arranged(retriever, self._arrangement)
        return self._arranged[name]


_NOTHING: Mapping[str, Any] = MappingProxyType({})
