"""Keeps a Python process off the network: every address but this machine's own is refused.

Works by an audit hook, which sees each connection however it was made. `install` cannot be undone.
"""

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


class NetworkRefused(OSError):
    """Something tried to leave this machine."""


@dataclass
class Tries:
    """What was tried, whether it was let through or not.

    Attributes:
        connections: addresses with ports.
        names: names and addresses that were looked up.
    """

    connections: list[tuple[str, int]] = field(default_factory=list)
    names: list[str] = field(default_factory=list)


_watched: list[Tries] = []


@contextmanager
def watching() -> Iterator[Tries]:
    """Yield what is tried from now on, where `install` was called."""
    tries = Tries()
    _watched.append(tries)
    try:
        yield tries
    finally:
        _watched.remove(tries)


def _note(event: str, target: object) -> None:
    for tries in _watched:
        if event == "socket.getaddrinfo":
            tries.names.append(str(target))
        elif isinstance(target, tuple):
            tries.connections.append((str(target[0]), int(target[1])))


def is_local(host: object) -> bool:
    """Tell whether `host`, a name or an address, is this machine itself."""
    if host in {None, "", b"", "localhost", b"localhost"}:
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        address = ipaddress.ip_address(text.split("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def install(log: Path | None = None) -> None:
    """Refuse from now on; each attempt is also written to `log`, for a parent process to read."""

    def refuse(event: str, args: tuple[object, ...]) -> None:
        if event in {"socket.connect", "socket.sendto"}:
            target = args[1]
            _note(event, target)
            if not isinstance(target, tuple) or is_local(target[0]):
                return
        elif event == "socket.getaddrinfo":
            target = args[0]
            _note(event, target)
            if is_local(target):
                return
        else:
            return
        if log is not None:
            with log.open("a") as lines:
                lines.write(f"{event} {target!r}\n")
        raise NetworkRefused(f"{event} to {target!r} is refused: tests stay on this machine")

    sys.addaudithook(refuse)


def environment(folder: Path) -> dict[str, str]:
    """Return an environment in which every Python child process is kept off the network.

    Attempts are listed in `folder / "attempts"`, which exists from now on.
    """
    attempts = folder / "attempts"
    attempts.touch()
    site = folder / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import sys\n"
        "from pathlib import Path\n"
        f"sys.path.append({str(Path(__file__).parent)!r})\n"
        "import loopback\n"
        f"loopback.install(Path({str(attempts)!r}))\n"
    )
    paths = [str(site), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
