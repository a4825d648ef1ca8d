"""The process that trains. It is given an order, tells what happens, and ends with its parent."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from filelock import FileLock, Timeout

from citewell.children import ChildFailed, Tell, serve
from citewell_trl.failures import explained
from citewell_trl.rows import read_rows
from citewell_trl.settings import TrlConfig
from citewell_trl.wire import FromChild, Order, line, to_order

_BEGAN = monotonic()
_LOCK = "lock"
# A process whose parent was killed may take a moment to end.
_PATIENCE_S = 10.0


def work(task: bytes, tell: Tell) -> None:
    """Train, or measure what training would take.

    Raises:
        ChildFailed: it cannot be done; says why, and the fix.
    """
    order = to_order(task)
    config = TrlConfig.model_validate_json(order.settings)

    def say(message: FromChild) -> None:
        tell(line(message))

    with explained(config, base=order.task.base, out=order.task.out), _alone(order.task.out):
        _do(order, config, say)


def _do(order: Order, config: TrlConfig, say: Callable[[FromChild], None]) -> None:
    task = order.task
    learnt = read_rows(task.examples, task.kind)
    tried = read_rows(task.validation, task.kind) if task.validation else []
    # Only now, because it takes many seconds.
    from citewell_trl.learning import Examples, learn
    from citewell_trl.measuring import measure

    examples = Examples(learnt, tried)
    if order.measures:
        measure(order, config, examples, say, began=_BEGAN)
    else:
        learn(order, config, examples, say)


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Keep other processes out of the folder, or wait until one has left it.

    Raises:
        ChildFailed: one stays.
    """
    lock = FileLock(out / _LOCK)
    try:
        lock.acquire(timeout=_PATIENCE_S)
    except Timeout:
        raise ChildFailed(
            f"{out}: another process trains in it; expected none: wait until it has ended"
        ) from None
    with lock:
        yield


if __name__ == "__main__":
    serve(work)
