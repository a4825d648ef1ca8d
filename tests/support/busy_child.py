"""Work for a process of its own: does what its task says."""

import os
import sys
import time

from citewell.children import ChildFailed, Tell, serve


def work(task: bytes, tell: Tell) -> None:
    what, _, rest = task.decode().partition(" ")
    tell(str(os.getpid()).encode())
    if what == "echo":
        print("printed")
        print("complained", file=sys.stderr)
        tell(rest.encode())
    elif what == "fail":
        raise ChildFailed(rest)
    elif what == "break":
        raise ValueError(rest)
    elif what == "exit":
        sys.exit(int(rest))
    elif what == "variable":
        tell(os.environ.get(rest, "none").encode())
    else:
        end(what, rest, tell)


def end(how: str, rest: str, tell: Tell) -> None:
    if how == "vanish":
        os._exit(int(rest))
    elif how == "kill":
        os.kill(os.getpid(), int(rest))
    elif how == "fork" and (child := os.fork()):
        tell(str(child).encode())
    time.sleep(600)


if __name__ == "__main__":
    serve(work)
