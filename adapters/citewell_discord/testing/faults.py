"""What goes wrong with calls, when a test says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from citewell_discord.testing.rates import Verdict, limited

Routes: TypeAlias = str | frozenset[str]


@dataclass(slots=True)
class _Fault:
    """Trouble for some of the next calls.

    Attributes:
        status: what the calls are answered; 0 if they are only late, -1 if the line breaks.
        is_done: whether the call takes effect all the same before it fails.
    """

    route: Routes
    left: int
    status: int = 0
    wait_s: float = 0.0
    is_global: bool = False
    is_banned: bool = False
    is_done: bool = False


@dataclass(frozen=True, slots=True)
class Trouble:
    """What befalls one call.

    Attributes:
        status: what it is answered instead; None if it is served.
        verdict: of a limit that is reached.
        delay_s: how long it takes longer.
        is_broken: whether the line breaks instead of an answer.
        is_done: whether it takes effect before it fails.
    """

    status: int | None = None
    verdict: Verdict | None = None
    delay_s: float = 0.0
    is_broken: bool = False
    is_done: bool = False


class Faults:
    """Troubles calls.

    A route is written as in the log, `POST /channels/{channel_id}/messages`; "" means any, and
    several are troubled as one.
    """

    def __init__(self) -> None:
        self._planned: list[_Fault] = []

    def fail(
        self, route: Routes = "", *, calls: int = 1, status: int = 500, done: bool = False
    ) -> None:
        """Answer the next calls with a status; if `done`, after they took effect."""
        self._planned.append(_Fault(route, calls, status=status, is_done=done))

    def cut(self, route: str = "", *, calls: int = 1, done: bool = False) -> None:
        """Break the line instead of an answer; if `done`, after the call took effect."""
        self._planned.append(_Fault(route, calls, status=-1, is_done=done))

    def limit(
        self, route: Routes = "", *, calls: int = 1, wait_s: float = 0.05, is_global: bool = False
    ) -> None:
        """Answer the next calls that there were too many."""
        fault = _Fault(route, calls, status=429, wait_s=wait_s, is_global=is_global)
        self._planned.append(fault)

    def ban(self, route: str = "", *, calls: int = 1) -> None:
        """Answer the next calls as the wall before Discord does that bans an address."""
        self._planned.append(_Fault(route, calls, status=429, is_banned=True))

    def delay(self, seconds: float, route: str = "", *, calls: int = 1) -> None:
        """Answer the next calls later."""
        self._planned.append(_Fault(route, calls, wait_s=seconds))

    def clear(self) -> None:
        """Trouble no more calls."""
        self._planned.clear()

    def take(self, route: str) -> Trouble:
        """Return what befalls a call of this route."""
        for fault in self._planned:
            if fault.left > 0 and _concerns(fault.route, route):
                fault.left -= 1
                return _befalling(fault)
        return Trouble()


def _concerns(troubled: Routes, route: str) -> bool:
    if isinstance(troubled, str):
        return troubled in {"", route}
    return route in troubled


def _befalling(fault: _Fault) -> Trouble:
    if fault.status == 0:
        return Trouble(delay_s=fault.wait_s)
    if fault.status == -1:
        return Trouble(is_broken=True, is_done=fault.is_done)
    if fault.status != 429:
        return Trouble(status=fault.status, is_done=fault.is_done)
    verdict = limited(fault.wait_s, is_global=fault.is_global)
    if fault.is_banned:
        verdict = Verdict(body=verdict.body, is_ban=True)
    return Trouble(status=429, verdict=verdict)
