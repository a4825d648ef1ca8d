"""The way to one API: its key, its tries, and the client that reaches it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from types import ModuleType
from typing import Any, Literal

from msgspec import Struct
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from citewell import ModelError
from citewell_litellm.direct import DirectClient, clients_of
from citewell_litellm.failures import is_free, is_passing, retry_after_s
from citewell_litellm.settings import ApiConfig

Call = Literal["acompletion", "aembedding", "arerank"]

_LONGEST_WAIT_S = 20.0


class Tries(Struct):
    """The tries of one request.

    Attributes:
        uncertain: that failed, and may have been charged all the same.
    """

    uncertain: int = 0


class Connection:
    """Asks one API, and tries again what passes.

    Args:
        config: says which API.
        call: the function of LiteLLM that asks it.
        log: of the component.
        is_local: it counts as local, so it is reached directly or not at all.
    """

    def __init__(
        self, config: ApiConfig, call: Call, *, log: logging.Logger, is_local: bool
    ) -> None:
        self._config = config
        self._call: Call = call
        self._log = log
        self._is_local = is_local
        self._direct: DirectClient | None = None
        self._wait = wait_exponential_jitter(multiplier=0.5, max=_LONGEST_WAIT_S)

    async def ask(
        self, package: ModuleType, arguments: Mapping[str, Any], failed: Tries | None = None
    ) -> Any:
        """Return what the API answers, after as many tries as it takes.

        Args:
            package: LiteLLM.
            arguments: of its function, beside those that every request has.
            failed: counts the tries that failed.

        Raises:
            Exception: what LiteLLM raised at the last try.
        """

        def note(state: RetryCallState) -> None:
            error = state.outcome.exception() if state.outcome else None
            self._log.info("try %d failed: %s", state.attempt_number, type(error).__name__)
            if failed is not None:
                failed.uncertain += error is None or not is_free(error)

        tries = AsyncRetrying(
            stop=stop_after_attempt(self._config.retries + 1),
            retry=retry_if_exception(lambda error: _may_pass(error, package)),
            wait=self._pause,
            before_sleep=note,
            reraise=True,
        )
        return await tries(self._once, package, {**self._common(package), **arguments})

    async def _once(self, package: ModuleType, arguments: Mapping[str, Any]) -> Any:
        asked = getattr(package, self._call)(**arguments)
        if self._call == "acompletion":
            # It may go on as long as words come.
            return await asked
        async with asyncio.timeout(self._config.patience_s):
            return await asked

    def check_key(self, package: ModuleType) -> None:
        """Refuse to ask a provider that is known to want a key where there is none.

        Raises:
            ModelError: nothing was sent.
        """
        if self._config.api_key is not None or self._is_local:
            return
        try:
            missing = package.validate_environment(self._config.model)["missing_keys"]
        # It raises what it likes for a provider that it does not know.
        except Exception:  # noqa: BLE001 - see above
            return
        if len(missing) == 1 and missing[0].endswith("_API_KEY"):
            error = ModelError(f"{self._config.model}: no key; set api_key, or {missing[0]}")
            error.cost = 0.0
            raise error

    async def close(self) -> None:
        """Close its connections."""
        if self._direct is not None:
            await self._direct.close()

    def _common(self, package: ModuleType) -> dict[str, Any]:
        config, key = self._config, self._config.api_key
        arguments: dict[str, Any] = {
            "model": config.model,
            "timeout": config.patience_s,
            "max_retries": 0,
            "api_base": config.api_base,
            "api_key": None if key is None else key.get_secret_value(),
        }
        if self._is_local:
            arguments["client"] = self._direct_client(package).client
        return arguments

    def _direct_client(self, package: ModuleType) -> DirectClient:
        if self._direct is None:
            config, key = self._config, self._config.api_key
            provider = package.get_llm_provider(model=config.model, api_base=config.api_base)[1]
            self._direct = DirectClient(
                clients_of(self._call, provider, model=config.model),
                api_base=config.api_base,
                api_key=None if key is None else key.get_secret_value(),
            )
        return self._direct

    def _pause(self, state: RetryCallState) -> float:
        asked = retry_after_s(state.outcome.exception() if state.outcome else None)
        return max(asked or 0.0, self._wait(state))


def _may_pass(error: BaseException, package: ModuleType) -> bool:
    asked = retry_after_s(error)
    return is_passing(error, package) and (asked is None or asked <= _LONGEST_WAIT_S)
