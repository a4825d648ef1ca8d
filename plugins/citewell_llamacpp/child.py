"""The process that a model runs in: it may be killed, and its parent believes nothing it says.

Started as `python -m citewell_llamacpp.child`. It reads frames from standard input, answers on
standard output, and ends when either is closed, in the middle of a step as well.
"""

from __future__ import annotations

import ctypes
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from time import sleep
from typing import TYPE_CHECKING, BinaryIO, NoReturn

from citewell_llamacpp.wire import (
    LENGTH,
    Adapt,
    Cancel,
    Embed,
    Failed,
    FromChild,
    Generate,
    Load,
    Loaded,
    ToChild,
    frame,
    to_child,
)

if TYPE_CHECKING:
    from citewell_llamacpp.embedding import EmbeddingService
    from citewell_llamacpp.service import Service


_WATCH_S = 1.0
_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Load the model that the first frame names, and answer until the parent goes."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _silence()
    load = next(_frames(requests), None)
    if not isinstance(load, Load):
        return
    inbox = Inbox(requests)

    def send(message: FromChild) -> None:
        try:
            replies.write(frame(message))
            replies.flush()
        except BrokenPipeError:
            os._exit(0)

    # The reading thread has to run before the model is loaded: that may take minutes, and the
    # parent may go meanwhile.
    inbox.start()
    _end_with_parent()
    from citewell_llamacpp.service import Refused, Service

    try:
        if load.pooling is None:
            service: Service | EmbeddingService = Service(load, send)
        else:
            from citewell_llamacpp.embedding import EmbeddingService

            service = EmbeddingService(load, send)
    except Refused as error:
        send(Failed(reason=str(error)))
        return
    send(Loaded(context=service.context))
    inbox.serve(service)


def _silence() -> None:
    """Keep what libraries print away from the replies."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _end_with_parent() -> None:
    """Have the kernel end this process with its parent, however busy it is; where Linux runs.

    Source: prctl(2), PR_SET_PDEATHSIG. A thread looks as well, for other systems.
    """
    with suppress(AttributeError, OSError):
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    threading.Thread(target=_outlive_nobody, args=(os.getppid(),), daemon=True).start()


def _outlive_nobody(parent: int) -> None:
    """End with the parent, also where a process that it forked keeps the pipe open."""
    while os.getppid() == parent:
        sleep(_WATCH_S)
    os._exit(0)


def _frames(stream: BinaryIO) -> Iterator[ToChild]:
    """Yield messages until the stream ends."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        yield to_child(stream.read(LENGTH.unpack(head)[0]))


class Inbox:
    """Reads frames in a thread of its own, so that a cancellation reaches a running step."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._messages: queue.SimpleQueue[ToChild] = queue.SimpleQueue()
        self._cancel: Callable[[int], None] | None = None

    def start(self) -> None:
        """Begin to read; when the parent goes, this process goes."""
        threading.Thread(target=self._read, daemon=True).start()

    def serve(self, service: Service | EmbeddingService) -> NoReturn:
        """Answer what comes."""
        self._cancel = service.cancel
        while True:
            while not (service.has_work and self._messages.empty()):
                message = self._messages.get()
                if isinstance(message, Generate | Adapt | Embed):
                    service.take(message)
                elif isinstance(message, Cancel):
                    service.cancel(message.id)
            service.step()

    def _read(self) -> None:
        with suppress(Exception):
            for message in _frames(self._stream):
                if isinstance(message, Cancel) and self._cancel is not None:
                    self._cancel(message.id)
                # Once more in its order: the answer may still be on its way to the service.
                self._messages.put(message)
        os._exit(0)


if __name__ == "__main__":
    main()
