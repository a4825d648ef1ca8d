"""What every language model must do, as tests."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from time import perf_counter
from typing import Any, ClassVar, cast

import pytest
from msgspec import Struct
from msgspec.structs import replace

from citewell.errors import ModelError
from citewell.protocols import Model
from citewell.specs import ModelCapabilities, ModelSpec
from citewell.testing.opening import find, opened, run_async
from citewell.testing.passages import make_passages
from citewell.types.questions import (
    Choices,
    Delta,
    Generation,
    Marks,
    OutputSchema,
    Prompt,
    Turn,
    Usage,
)

_PASSAGES = make_passages(
    "Every employee has 28 days of leave a year. Leave is asked for in the portal.",
    "Sick leave needs a doctor's note from the third day. The note is sent to the people team.",
    "The office is closed between Christmas and New Year. Nobody has to take leave for it.",
)
_PROMPT = Prompt(
    instructions="Answer in short sentences.",
    question="How many days of leave does an employee have, and where is it asked for?",
    refusal="The documents do not say.",
    passages=_PASSAGES,
    constraint=Marks(len(_PASSAGES)),
)
_ODD_TEXTS = ("", " ", "\x00", "\ud83d", "<|im_end|>", "[1]" * 500, "\U0001f98a\u202e\ufeff")


class _Output(Struct, frozen=True):
    deltas: tuple[str, ...]
    usage: Usage

    @property
    def text(self) -> str:
        return "".join(self.deltas)


class ModelContract:
    """Subclass it, set `name`, and pytest tests your model.

    What the spec claims in `capabilities` is tested; what it does not claim is skipped.

    Attributes:
        name: under which a plugin that is installed offers the model.
        config: its settings, as they would stand in `citewell.toml`.
        timeout_s: that one generation may take in these tests.
    """

    name: ClassVar[str]
    config: ClassVar[Mapping[str, object]] = {}
    timeout_s: ClassVar[float] = 60.0

    @asynccontextmanager
    async def open(self, folder: Path) -> AsyncIterator[Model]:
        """Open the model; override to build it otherwise."""
        async with opened("model", self.name, self.config, folder) as model:
            yield model

    @property
    def capabilities(self) -> ModelCapabilities:
        """What the spec claims with these settings."""
        spec = cast("ModelSpec[Any]", find("model", self.name))
        return spec.claims(spec.config(**self.config))

    def _needs(self, capability: str) -> None:
        if not getattr(self.capabilities, capability):
            pytest.skip(f"not claimed: {self.name} has no capability {capability}")

    async def _output(self, model: Model, prompt: Prompt) -> _Output:
        """Return a whole output, after checking its form."""
        async with asyncio.timeout(self.timeout_s):
            items = [item async for item in model.generate(prompt)]
        usages = [item for item in items if isinstance(item, Usage)]
        assert len(usages) == 1, f"yield exactly one Usage; there were {len(usages)}"
        assert items[-1] is usages[0], "Usage comes last, after every Delta"
        deltas = tuple(item.text for item in items if isinstance(item, Delta))
        return _Output(deltas, usages[0])

    @run_async
    async def test_yields_deltas_then_one_usage(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            output = await self._output(model, _PROMPT)

        assert output.text.strip(), "nothing was written; a refusal is text as well"
        usage = output.usage
        assert usage.input_tokens >= 0, f"input_tokens is {usage.input_tokens}; expected 0 or more"
        assert usage.output_tokens >= 0, (
            f"output_tokens is {usage.output_tokens}; expected 0 or more"
        )
        assert usage.cost is None or usage.cost >= 0, f"cost is {usage.cost}; None says unknown"
        assert usage.finish in {"stop", "length"}, (
            f'finish is {usage.finish!r}; expected "stop" or "length"'
        )

    @run_async
    async def test_several_generations_at_once(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            outputs = await asyncio.gather(*(self._output(model, _PROMPT) for _ in range(4)))

        assert all(output.text.strip() for output in outputs), (
            "of several generations at once one wrote nothing"
        )

    @run_async
    async def test_closing_early_stops_it(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            generation = cast("Any", model.generate(_PROMPT))
            async with aclosing(generation):
                await anext(generation)
            since = perf_counter()
            again = await self._output(model, _PROMPT)

        assert again.text.strip(), "the model must work on after a generation was closed"
        assert perf_counter() - since < self.timeout_s, "a closed generation still takes time"

    @run_async
    async def test_cancelling_stops_it(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            task = asyncio.ensure_future(self._output(model, _PROMPT))
            await asyncio.sleep(0)
            task.cancel()
            results = await asyncio.gather(task, return_exceptions=True)
            assert isinstance(results[0], asyncio.CancelledError | _Output), (
                f"cancelled, it raised {results[0]!r}; let CancelledError pass"
            )

    @run_async
    async def test_odd_text_is_data(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            for text in _ODD_TEXTS:
                odd = replace(
                    _PROMPT,
                    question=text or "?",
                    passages=make_passages(text or " ", "Every employee has 28 days of leave."),
                    turns=(Turn("user", text), Turn("assistant", text)),
                    instructions=text,
                )
                await self._output(model, odd)

    @run_async
    async def test_works_without_passages(self, tmp_path: Path) -> None:
        free = replace(_PROMPT, passages=(), constraint=None)
        async with self.open(tmp_path) as model:
            assert (await self._output(model, free)).text.strip(), "say that there is nothing"

    @run_async
    async def test_the_output_ends_before_a_stop_text(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            words = (await self._output(model, _PROMPT)).text.split()
            stop = words[len(words) // 2]
            generation = Generation(stop=(stop,))
            output = await self._output(model, replace(_PROMPT, generation=generation))

        assert stop not in output.text, f"{stop!r} is in `generation.stop` and was written"

    @run_async
    async def test_the_output_is_no_longer_than_allowed(self, tmp_path: Path) -> None:
        async with self.open(tmp_path) as model:
            generation = Generation(max_output_tokens=4)
            output = await self._output(model, replace(_PROMPT, generation=generation))

        words = len(output.text.split())
        assert words <= 4, f"{words} words were written with max_output_tokens=4"

    @run_async
    async def test_streams(self, tmp_path: Path) -> None:
        self._needs("streams")
        async with self.open(tmp_path) as model:
            output = await self._output(model, _PROMPT)

        filled = [delta for delta in output.deltas if delta]
        assert len(filled) > 1, "the output came in one piece; do not claim `streams`"

    @run_async
    async def test_is_seeded(self, tmp_path: Path) -> None:
        self._needs("seeded")
        prompt = replace(_PROMPT, generation=Generation(seed=7, temperature=1.0))
        async with self.open(tmp_path) as model:
            first = await self._output(model, prompt)
            second = await self._output(model, prompt)

        assert first.text == second.text, "equal prompt and seed gave another output"

    @run_async
    async def test_is_local(self, tmp_path: Path) -> None:
        self._needs("local")
        attempts: list[object] = []
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "socket", _refusing(attempts))
            async with self.open(tmp_path) as model:
                await self._output(model, _PROMPT)

        assert not attempts, f"it opened a connection: {attempts}; do not claim `local`"

    @run_async
    async def test_constrains_to_choices(self, tmp_path: Path) -> None:
        self._needs("constrains")
        choices = ("alpha", "beta gamma", "delta")
        async with self.open(tmp_path) as model:
            output = await self._output(model, replace(_PROMPT, constraint=Choices(choices)))

        assert output.text in choices, f"{output.text!r} is none of {choices}"

    @run_async
    async def test_constrains_to_a_schema(self, tmp_path: Path) -> None:
        self._needs("constrains")
        schema = {
            "type": "object",
            "properties": {"days": {"type": "integer"}},
            "required": ["days"],
            "additionalProperties": False,
        }
        async with self.open(tmp_path) as model:
            output = await self._output(model, replace(_PROMPT, constraint=OutputSchema(schema)))

        found = json.loads(output.text)
        assert set(found) == {"days"}, f"{found} does not satisfy the schema"
        assert isinstance(found["days"], int), f"{found} does not satisfy the schema"

    @run_async
    async def test_too_much_context_is_refused(self, tmp_path: Path) -> None:
        self._needs("max_context_tokens")
        limit = self.capabilities.max_context_tokens or 0
        huge = replace(_PROMPT, passages=make_passages("word " * (2 * limit)))
        async with self.open(tmp_path) as model:
            with pytest.raises(ModelError):
                await self._output(model, huge)


def _refusing(attempts: list[object]) -> type[socket.socket]:
    """Return a socket class that notes and refuses connections."""

    class Refusing(socket.socket):
        def connect(self, address: Any, /) -> None:
            attempts.append(address)
            raise ConnectionRefusedError("no connection is allowed in this test")

    return Refusing
