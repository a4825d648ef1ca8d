"""The embedder `litellm` at work."""

from __future__ import annotations

import hashlib
import json
import logging
import math
from collections.abc import Sequence
from functools import partial
from itertools import chain, islice
from types import ModuleType
from typing import Any, Literal

from citewell import ModelError, blocking
from citewell_litellm.connection import Connection
from citewell_litellm.failures import explained
from citewell_litellm.library import litellm
from citewell_litellm.settings import EmbedderConfig
from citewell_litellm.texts import sendable

Kind = Literal["query", "passage"]

_TOO_LARGE = 413


class LiteLLMEmbedder:
    """An embedding model behind an API.

    Args:
        config: says which.
        log: of the component.
        is_local: it counts as local, so it is reached directly or not at all.

    Attributes:
        identity: names what decides about the vectors, as far as this side knows it.
    """

    def __init__(self, config: EmbedderConfig, *, log: logging.Logger, is_local: bool) -> None:
        self._config = config
        self._connection = Connection(config, "aembedding", log=log, is_local=is_local)
        self._prefix = {"query": config.query_prefix, "passage": config.passage_prefix}
        self._options = {"query": config.query_options, "passage": config.passage_options}
        self._dimension = config.dimensions
        self.identity = _identity(config)

    async def embed(self, texts: Sequence[str], *, kind: Kind) -> Sequence[Sequence[float]]:
        """Return a vector of length 1 for each text; that of a long text is the mean of its parts'.

        Raises:
            ModelError: the API fails, or gives what cannot be used.
        """
        if not texts:
            return []
        package = await blocking.call(litellm)
        self._connection.check_key(package)
        parts = [self._parts(text, kind) for text in texts]
        flat, step = list(chain.from_iterable(parts)), self._config.together
        vectors: list[Sequence[float]] = []
        for at in range(0, len(flat), step):
            vectors += await self._embedded(package, flat[at : at + step], kind)
        found = iter(vectors)
        return [self._mean(list(islice(found, len(own)))) for own in parts]

    async def close(self) -> None:
        """Close its connections."""
        await self._connection.close()

    def _parts(self, text: str, kind: Kind) -> list[str]:
        size = self._config.max_chars
        cuts = range(0, max(len(text), 1), size)
        return [sendable(f"{self._prefix[kind]}{text[at : at + size]}") for at in cuts]

    async def _embedded(
        self, package: ModuleType, texts: Sequence[str], kind: Kind
    ) -> list[Sequence[float]]:
        """Return the vectors of the texts of one request."""
        config = self._config
        arguments: dict[str, Any] = {
            "input": texts,
            "encoding_format": "float",
            **config.options,
            **self._options[kind],
        }
        if config.dimensions is not None:
            arguments["dimensions"] = config.dimensions
            # LiteLLM drops it for models that it does not know.
            arguments["allowed_openai_params"] = ["dimensions"]
        try:
            response = await self._connection.ask(package, arguments)
        except ModelError:
            raise
        except Exception as error:
            if _is_too_long(error, package):
                raise ModelError(
                    f"{config.model}: a text is too long for it; lower max_chars, now "
                    f"{config.max_chars}"
                ) from error
            raise explained(error, package, model=config.model, may_cost=True) from error
        vectors = self._in_order(response, len(texts))
        return await blocking.call(partial(self._checked, vectors))

    def _in_order(self, response: Any, count: int) -> list[Any]:
        """Return what the API gives for each text, in the order of the texts."""
        items = getattr(response, "data", None)
        found = list(items) if isinstance(items, list) else []
        if len(found) != count:
            raise self._refused(f"gives {len(found)} vectors for {count} texts")
        places = [_field(item, "index") for item in found]
        if any(place is not None for place in places):
            if any(type(place) is not int for place in places) or set(places) != set(range(count)):
                raise self._refused("does not say which vector is whose; expected each index once")
            found.sort(key=lambda item: int(_field(item, "index")))
        return [_field(item, "embedding") for item in found]

    def _checked(self, vectors: list[Any]) -> list[Sequence[float]]:
        """Return the vectors with the length 1.

        Raises:
            ModelError: one is none, or has another dimension than those before.
        """
        return [self._normal(vector) for vector in vectors]

    def _normal(self, vector: Any) -> Sequence[float]:
        is_plain = isinstance(vector, list) and all(type(one) in (float, int) for one in vector)
        if not is_plain or not vector:
            raise self._refused("gives something that is no vector; expected a list of numbers")
        if self._dimension is None:
            self._dimension = len(vector)
        if len(vector) != self._dimension:
            raise self._refused(
                f"gives a vector of dimension {len(vector)}; expected {self._dimension}: another "
                "model may stand there now; name it under `identity`, then run citewell reindex"
            )
        return self._scaled(vector)

    def _mean(self, parts: list[Sequence[float]]) -> Sequence[float]:
        if len(parts) == 1:
            return parts[0]
        return self._scaled([math.fsum(values) for values in zip(*parts, strict=True)])

    def _scaled(self, vector: Sequence[float]) -> Sequence[float]:
        try:
            length = math.hypot(*vector)
        except OverflowError:
            length = math.inf
        if not math.isfinite(length) or length <= 0:
            raise self._refused("gives a vector without a direction: of zeros, or not of numbers")
        return [value / length for value in vector]

    def _refused(self, what: str) -> ModelError:
        return ModelError(f"{self._config.model}: its API {what}")


def _is_too_long(error: Exception, package: ModuleType) -> bool:
    is_told = isinstance(error, package.ContextWindowExceededError)
    return is_told or getattr(error, "status_code", None) == _TOO_LARGE


def _field(item: Any, name: str) -> Any:
    return item.get(name) if isinstance(item, dict) else getattr(item, name, None)


def _identity(config: EmbedderConfig) -> str:
    named = [config.identity] if config.identity else [config.model, config.api_base]
    shape = [
        *named,
        config.dimensions,
        config.query_prefix,
        config.passage_prefix,
        sorted(config.options.items()),
        sorted(config.query_options.items()),
        sorted(config.passage_options.items()),
        config.max_chars,
    ]
    shape_hash = hashlib.sha256(json.dumps(shape).encode()).hexdigest()[:16]
    return f"litellm {config.identity or config.model} {shape_hash}"
