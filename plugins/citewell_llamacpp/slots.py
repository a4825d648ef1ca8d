"""Which conversation's cache a prompt continues, and how many of its tokens need no computing.

A prompt is computed in chunks that begin at multiples of one number, and reused in whole chunks.
So each token is always computed together with the same neighbours, and an answer is the same,
bit for bit, whatever was asked before.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from citewell_llamacpp.wire import File


class Slot(Struct, eq=False):
    """The cache of one conversation.

    Attributes:
        index: number of the sequence in llama.cpp.
        tokens: of the prompt, those that are computed; what was generated is not kept.
        adapter: LoRA adapter that they were computed with.
        busy: an answer is being written.
        used: when it was last taken; higher is later.
    """

    index: int
    tokens: list[int] = field(default_factory=list)
    adapter: File | None = None
    busy: bool = False
    used: int = 0


class Lease(Struct, frozen=True):
    """A slot for a prompt.

    Attributes:
        slot: now busy.
        reused: tokens of the prompt that need not be computed.
        source: the slot to copy before, where another one holds more of the prompt.
    """

    slot: Slot
    reused: int
    source: Slot | None = None


class Slots:
    """The caches of a worker.

    Args:
        count: how many there are.
        chunk: tokens that are computed together.
    """

    def __init__(self, count: int, *, chunk: int) -> None:
        self.all = tuple(Slot(index) for index in range(count))
        self._chunk = chunk
        self._clock = 0

    @property
    def are_busy(self) -> bool:
        """Whether no further answer can begin."""
        return all(slot.busy for slot in self.all)

    def emptied(self) -> Slot:
        """Return a free slot whose conversation may be forgotten: the oldest."""
        slot = min((one for one in self.all if not one.busy), key=lambda one: one.used)
        slot.tokens = []
        return slot

    def take(self, tokens: Sequence[int], adapter: File | None) -> Lease:
        """Take a free slot for a prompt: one that holds the same conversation, or the oldest.

        At least one token is left to compute, because its logits are needed.
        """
        shared = {slot.index: self._shared(slot, tokens, adapter) for slot in self.all}
        free = [slot for slot in self.all if not slot.busy]
        same = [slot for slot in free if shared[slot.index] * 2 >= max(len(slot.tokens), 1)]
        if same:
            slot = max(same, key=lambda one: (shared[one.index], -one.used))
        else:
            slot = min(free, key=lambda one: one.used)
        best = max(self.all, key=lambda one: shared[one.index])
        source = best if shared[best.index] > shared[slot.index] else None
        self._clock += 1
        slot.busy, slot.used = True, self._clock
        return Lease(slot, shared[best.index], source)

    def _shared(self, slot: Slot, tokens: Sequence[int], adapter: File | None) -> int:
        if slot.adapter != adapter:
            return 0
        count = 0
        for ours, theirs in zip(slot.tokens, tokens[:-1], strict=False):
            if ours != theirs:
                break
            count += 1
        return count // self._chunk * self._chunk
