"""How a desk works."""

from __future__ import annotations

from msgspec import Struct


class Manner(Struct, frozen=True, kw_only=True):
    """How a desk works.

    Attributes:
        workers: questions that are answered at once.
        lease_s: seconds until a question of a process that died is anybody's.
        poll_s: seconds between two looks for questions that another process took in.
        attempts: how often a question is begun with before it is given up.
        backoff_s: seconds until a question that failed is begun with again; twice as many after
            each further time, to five minutes.
        answer_s: seconds that an answer may take.
        reach_s: seconds until a question is given up whose service cannot be reached at all.
    """

    workers: int = 8
    lease_s: float = 30.0
    poll_s: float = 1.0
    attempts: int = 8
    backoff_s: float = 1.0
    answer_s: float = 300.0
    reach_s: float = 24 * 3600.0

    def pause_s(self, attempts: int) -> float:
        """Return the seconds between so many attempts and the next."""
        return min(self.backoff_s * 2.0 ** min(attempts - 1, 30), 300.0)
