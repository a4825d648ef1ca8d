"""Characters of an answer that are held back until it is clear what they are."""

from __future__ import annotations

from collections.abc import Sequence


class Spans:
    """Holds a code span back until it is closed; one that is cut off is never written.

    In code, brackets are free. A span that has no end is no code, so its brackets would be marks.
    The text is what `grammar.marks` allows.
    """

    def __init__(self) -> None:
        self._line = ""
        self._held = 0
        self._is_fenced = False

    def take(self, text: str) -> str:
        """Return what can be written, now that `text` came."""
        waiting = self._line[len(self._line) - self._held :] + text
        *lines, self._line = (self._line + text).split("\n")
        for line in lines:
            self._is_fenced ^= line.startswith("```")
        self._held = self._open_characters()
        return waiting[: len(waiting) - self._held]

    def _open_characters(self) -> int:
        is_code = self._is_fenced or self._line.startswith("```")
        if is_code or self._line.count("`") % 2 == 0:
            return 0
        return len(self._line) - self._line.rindex("`")


class Stops:
    """Ends an answer before one of `texts`, which are not part of it.

    Holds characters back for as long as they may become one of `texts`.

    Attributes:
        reached: one of the texts came; nothing more is written.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text for text in texts if text]
        self._held = ""
        self.reached = False

    def take(self, text: str) -> str:
        """Return what can be written, now that `text` came."""
        if self.reached:
            return ""
        held = self._held + text
        ends = [held.find(stop) for stop in self._texts if stop in held]
        if ends:
            self.reached = True
            self._held = ""
            return held[: min(ends)]
        kept = max((_overlap(held, stop) for stop in self._texts), default=0)
        self._held = held[len(held) - kept :]
        return held[: len(held) - kept]

    def rest(self) -> str:
        """Return what was held back, now that nothing more comes."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """Return how many of the last characters of `text` are the first of `stop`."""
    longest = min(len(text), len(stop) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(stop[:n])), 0)
