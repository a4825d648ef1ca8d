"""How often each method may be called."""

from __future__ import annotations

import math
from collections import deque

from citewell_slack.testing.calls import Call, Method
from citewell_slack.testing.clock import Clock
from citewell_slack.testing.faults import too_many

# Source: https://docs.slack.dev/apis/web-api/rate-limits: calls a minute, by tier.
PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}
# Posting is limited by channel: one message a second, with short bursts.
POSTING_TIER = 0
POSTING_BURST = 3


class Rates:
    """Counts calls, and refuses those too many once it is `enforced`."""

    def __init__(self, clock: Clock) -> None:
        self.enforced = False
        self._clock = clock
        self._recent: dict[tuple[str, str, str], deque[float]] = {}

    def check(self, method: Method, call: Call) -> None:
        """Count a call.

        Raises:
            Refusal: it is one too many.
        """
        is_posting = method.tier == POSTING_TIER
        channel = str(call.arguments.get("channel", "")) if is_posting else ""
        most = POSTING_BURST if is_posting else PER_MINUTE[method.tier]
        window_s = float(POSTING_BURST) if is_posting else 60.0
        recent = self._recent.setdefault((call.token, method.name, channel), deque())
        while recent and recent[0] <= self._clock.now - window_s:
            recent.popleft()
        if self.enforced and len(recent) >= most:
            raise too_many(max(1, math.ceil(recent[0] + window_s - self._clock.now)))
        recent.append(self._clock.now)
