"""What a component lets people know about the answer in work, while it works on a question."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from time import monotonic

from msgspec import Struct

_AGAIN_S = 600.0


class Told(Struct, frozen=True):
    """One notice.

    Attributes:
        text: for whoever reads the answer.
        detail: the same for whoever runs the assistant, with what mends it; or empty.
    """

    text: str
    detail: str = ""

    @property
    def whole(self) -> str:
        """All of it, for whoever runs the assistant."""
        return self.detail or self.text


_notices: ContextVar[list[Told] | None] = ContextVar("citewell_notices", default=None)


def notice(text: str, *, detail: str = "") -> None:
    """Let the innermost who listens know, once; lost where nobody does."""
    _tell(_notices.get(), Told(text, detail))


@contextmanager
def listening() -> Iterator[list[Told]]:
    """Yield the list that fills with what components say inside.

    Whoever listens outside is told at the end, so that what is shown below an answer also reaches
    whoever runs the assistant.
    """
    notices: list[Told] = []
    token = _notices.set(notices)
    try:
        yield notices
    finally:
        _notices.reset(token)
        for one in notices:
            _tell(_notices.get(), one)


def _tell(notices: list[Told] | None, told: Told) -> None:
    if notices is not None and told not in notices:
        notices.append(told)


class Reminder:
    """Says when a line is to be written to a log again that each question would bring.

    Args:
        again_s: not before so many seconds.
        clock: tells the time in seconds.
    """

    def __init__(
        self, *, again_s: float = _AGAIN_S, clock: Callable[[], float] = monotonic
    ) -> None:
        self._again_s = again_s
        self._clock = clock
        self._since: dict[str, float] = {}

    def is_due(self, line: str) -> bool:
        """Tell whether `line` was not due for a while; then it is not for the next one."""
        now = self._clock()
        # What is not said any more must not be kept.
        self._since = {
            said: since for said, since in self._since.items() if now - since < self._again_s
        }
        if line in self._since:
            return False
        self._since[line] = now
        return True
