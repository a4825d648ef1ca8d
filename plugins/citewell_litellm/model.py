"""The model `litellm` at work."""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from types import ModuleType
from typing import Any, Literal

from citewell import (
    Choices,
    Delta,
    ModelError,
    OutputSchema,
    Prompt,
    PromptRefused,
    Usage,
    blocking,
    chat_messages,
)
from citewell_litellm.connection import Connection, Tries
from citewell_litellm.failures import explained
from citewell_litellm.library import litellm
from citewell_litellm.settings import LiteLLMConfig

_MILLION = 1_000_000
_CHARS_OF_A_TOKEN = 64
_SPARE_CHARS = 4_096
# What a provider adds to each message, at most: role, separators.
_TOKENS_OF_A_MESSAGE = 16
# No answer has as many; what reports them is not to be believed.
_MOST_TOKENS = 1_000_000_000


class LiteLLMModel:
    """A model behind an API.

    Args:
        config: says which.
        log: of the component.
        is_local: it counts as local, so it is reached directly or not at all.
    """

    def __init__(self, config: LiteLLMConfig, *, log: logging.Logger, is_local: bool) -> None:
        self._config = config
        self._connection = Connection(config, "acompletion", log=log, is_local=is_local)

    async def generate(self, prompt: Prompt) -> AsyncGenerator[Delta | Usage, None]:
        """Yield the output; until its first character failures that pass are tried again.

        Raises:
            ModelError: the API cannot be reached, refuses, fails, or breaks off.
        """
        package = await blocking.call(litellm)
        self._connection.check_key(package)
        has_output, tries = False, Tries()
        try:
            async with aclosing(self._stream(package, prompt, tries)) as items:
                async for item in items:
                    has_output = True
                    yield item
        except ModelError:
            raise
        except Exception as error:
            may_cost = has_output or tries.uncertain > 0
            raise explained(error, package, model=self._config.model, may_cost=may_cost) from error

    async def highest_cost(self, prompt: Prompt) -> float | None:
        """Return what a generation costs at most, or None when the price is not known.

        Each of its tries may be charged.
        """
        package = await blocking.call(litellm)
        most = self._highest(package, prompt)
        return None if most is None else most * (1 + self._config.retries)

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    def _highest(self, package: ModuleType, prompt: Prompt) -> float | None:
        """Return what one try costs at most: no text has more tokens than bytes."""
        messages = chat_messages(prompt)
        size = sum(len(one["content"].encode("utf-8", "replace")) for one in messages)
        most = size + _TOKENS_OF_A_MESSAGE * (len(messages) + 1)
        return self._cost(package, most, prompt.generation.max_output_tokens)

    async def _stream(
        self, package: ModuleType, prompt: Prompt, failed: Tries
    ) -> AsyncGenerator[Delta | Usage, None]:
        response = await self._connection.ask(package, self._arguments(prompt), failed)
        as_choice = isinstance(prompt.constraint, Choices) and self._config.response_format
        room = prompt.generation.max_output_tokens * _CHARS_OF_A_TOKEN + _SPARE_CHARS
        texts: list[str] = []
        finish: str | None = None
        tokens: tuple[int, int] | None = None
        async with aclosing(response):
            async for chunk in response:
                usage = getattr(chunk, "usage", None)
                if usage is not None:
                    tokens = _tokens(usage)
                for choice in chunk.choices[:1]:
                    finish = choice.finish_reason or finish
                    text = choice.delta.content or ""
                    room -= len(text)
                    if room < 0:
                        raise ModelError(f"{self._config.model}: its API writes without end")
                    if text:
                        texts.append(text)
                        if not as_choice:
                            yield Delta(text)
        if finish is None or not _has_finished(response):
            raise ModelError(f"{self._config.model}: its API broke off in the middle")
        if finish == "content_filter":
            raise PromptRefused(f"{self._config.model}: its provider refuses the answer")
        if as_choice:
            yield Delta(_chosen("".join(texts)))
        ended: Literal["stop", "length"] = "length" if finish == "length" else "stop"
        yield Usage(
            input_tokens=tokens[0] if tokens else 0,
            output_tokens=tokens[1] if tokens else 0,
            cost=self._total_cost(package, prompt, tokens, failed) if tokens else None,
            finish=ended,
        )

    def _arguments(self, prompt: Prompt) -> dict[str, Any]:
        config, generation = self._config, prompt.generation
        arguments: dict[str, Any] = {
            "messages": chat_messages(prompt),
            "stream": True,
            "stream_options": {"include_usage": True},
            "max_tokens": generation.max_output_tokens,
            "temperature": generation.temperature,
            "seed": generation.seed,
            **config.options,
        }
        if generation.stop:
            arguments["stop"] = list(generation.stop)
        form = _response_format(prompt) if config.response_format else None
        if form is not None:
            arguments["response_format"] = form
        return arguments

    def _total_cost(
        self, package: ModuleType, prompt: Prompt, tokens: tuple[int, int], failed: Tries
    ) -> float | None:
        """Return what a generation cost, its failed tries at their highest price."""
        cost, most = self._cost(package, *tokens), self._highest(package, prompt)
        return None if cost is None or most is None else cost + failed.uncertain * most

    def _cost(self, package: ModuleType, input_tokens: int, output_tokens: int) -> float | None:
        price = self._config.price
        if price is not None:
            return (input_tokens * price.input + output_tokens * price.output) / _MILLION
        try:
            parts = package.cost_per_token(
                model=self._config.model,
                prompt_tokens=input_tokens,
                completion_tokens=output_tokens,
            )
        # It raises what it likes for a model that its table does not have.
        except Exception:  # noqa: BLE001 - see above
            return None
        return float(sum(parts))


def _tokens(usage: Any) -> tuple[int, int] | None:
    """Return how many tokens were read and written, or None for what cannot be."""
    counts = (usage.prompt_tokens, usage.completion_tokens)
    if all(isinstance(count, int) and 0 <= count <= _MOST_TOKENS for count in counts):
        return counts
    return None


def _has_finished(response: Any) -> bool:
    """Tell whether the provider said that it has finished; LiteLLM says so for it if it did not."""
    names = ("received_finish_reason", "intermittent_finish_reason")
    said = [getattr(response, name) for name in names if hasattr(response, name)]
    return not said or any(said)


def _response_format(prompt: Prompt) -> dict[str, object] | None:
    constraint = prompt.constraint
    if isinstance(constraint, OutputSchema):
        schema: object = constraint.schema
    elif isinstance(constraint, Choices):
        schema = {
            "type": "object",
            "properties": {"choice": {"enum": list(constraint.choices)}},
            "required": ["choice"],
            "additionalProperties": False,
        }
    else:
        return None
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": schema}}


def _chosen(text: str) -> str:
    """Return the choice that stands in the JSON of an answer, or the text where it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return text
    choice = found.get("choice") if isinstance(found, dict) else None
    return choice if isinstance(choice, str) else text
