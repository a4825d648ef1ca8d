"""What goes wrong with calls of the Web API, when a test wants it."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

from citewell_slack.testing.wire import Refusal


@dataclass
class Fault:
    """What happens to the next calls of a method.

    Attributes:
        refusal: what they are answered, without being done.
        delay_s: how long they wait, by Slack's clock.
        cut: the connection ends instead of an answer: before the call is done, or after.
        left: how many calls it still happens to.
    """

    method: str
    refusal: Refusal | None = None
    delay_s: float = 0.0
    cut: Literal["", "before", "after"] = ""
    left: int = 1


class Faults:
    """What is to go wrong, in the order in which it was asked for.

    A method may be a pattern: `*` is every method, `chat.*|response_url` everything that posts.
    """

    def __init__(self) -> None:
        self._waiting: list[Fault] = []

    def fail(self, method: str, error: str = "internal_error", *, times: int = 1) -> None:
        """Answer `ok: false` with this error."""
        self._waiting.append(Fault(method, Refusal(error), left=times))

    def break_down(self, method: str, status: int = 500, *, times: int = 1) -> None:
        """Answer with an HTTP status of failure."""
        self._waiting.append(Fault(method, Refusal("internal_error", status=status), left=times))

    def limit(self, method: str, retry_after_s: int = 1, *, times: int = 1) -> None:
        """Answer 429, and when to come back."""
        self._waiting.append(Fault(method, too_many(retry_after_s), left=times))

    def delay(self, method: str, seconds: float, *, times: int = 1) -> None:
        """Let calls wait until Slack's clock has moved on."""
        self._waiting.append(Fault(method, delay_s=seconds, left=times))

    def cut(
        self, method: str, when: Literal["before", "after"] = "after", *, times: int = 1
    ) -> None:
        """End the connection without an answer; `after` the call was done all the same."""
        self._waiting.append(Fault(method, cut=when, left=times))

    def clear(self) -> None:
        """Let everything go well again."""
        self._waiting.clear()

    def next(self, method: str) -> Fault | None:
        """Take what happens to this call."""
        for fault in self._waiting:
            if any(fnmatchcase(method, one) for one in fault.method.split("|")):
                fault.left -= 1
                if not fault.left:
                    self._waiting.remove(fault)
                return fault
        return None


def too_many(retry_after_s: int) -> Refusal:
    """Return the answer to a call too many."""
    return Refusal("ratelimited", status=429, headers={"Retry-After": str(retry_after_s)})
