"""The process that a model runs in: it may be killed, and its parent believes nothing it says.

It reads frames from standard input, answers on standard output, and ends when its parent does.
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
from typing import BinaryIO

from citewell_onnx.wire import (
    LENGTH,
    Compute,
    Computed,
    Failed,
    FromChild,
    Load,
    Loaded,
    ToChild,
    frame,
    to_child,
)

_WATCH_S = 1.0
_SET_PARENT_DEATH_SIGNAL = 1


def main() -> None:
    """Load the model that the first frame names, and compute until the parent goes."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    _silence()
    load = next(_frames(requests), None)
    if not isinstance(load, Load):
        return
    waiting: queue.SimpleQueue[ToChild] = queue.SimpleQueue()
    # It has to read before the model is loaded: the parent may go meanwhile.
    threading.Thread(target=_read, args=(requests, waiting), daemon=True).start()
    _end_with_parent()

    def send(message: FromChild) -> None:
        try:
            replies.write(frame(message))
            replies.flush()
        except BrokenPipeError:
            os._exit(0)

    _serve(load, waiting, send)


def _serve(
    load: Load, waiting: queue.SimpleQueue[ToChild], send: Callable[[FromChild], None]
) -> None:
    # Nothing is asked of the network, also where a library would like to.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    from citewell_onnx.network import Network, NetworkError

    try:
        network = Network(load)
    except NetworkError as error:
        send(Failed(reason=str(error)))
        return
    send(Loaded(network.width))
    while True:
        request = waiting.get()
        if not isinstance(request, Compute):
            continue
        try:
            rows = network.rows(request.texts, request.question)
        except NetworkError as error:
            send(Failed(id=request.id, reason=str(error)))
        else:
            send(Computed(id=request.id, rows=rows))


def _silence() -> None:
    """Keep what libraries print away from the replies."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)


def _read(requests: BinaryIO, waiting: queue.SimpleQueue[ToChild]) -> None:
    with suppress(Exception):
        for message in _frames(requests):
            waiting.put(message)
    os._exit(0)


def _frames(stream: BinaryIO) -> Iterator[ToChild]:
    """Yield messages until the stream ends."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        yield to_child(stream.read(LENGTH.unpack(head)[0]))


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
