"""Loads one plugin in a process of its own, to see what that costs and what it does besides."""

from __future__ import annotations

import asyncio
import inspect
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pluggy
from msgspec import Struct

from citewell import hookspecs
from citewell.children import Tell, run, serve
from citewell.engine.candidates import installed
from citewell.engine.plugin_files import digest, read_plugin_file, run_plugin_file
from citewell.engine.registry import HOOKS, PluginState
from citewell.engine.trust import Trust
from citewell.errors import PluginError
from citewell.hookspecs import PROJECT

IMPORT = "import"
_TIMEOUT_S = 120
_EVENTS = {
    "socket.connect": "connects to the network",
    "socket.getaddrinfo": "asks for an address of the network",
    "subprocess.Popen": "starts a program",
    "os.system": "starts a program",
    "os.posix_spawn": "starts a program",
}
# Nanoseconds of running, and of waiting to run. Source: Linux, scheduler/sched-stats.rst.
_DELAYS = Path("/proc/thread-self/schedstat")
# What Python itself writes when it compiles a module.
_COMPILED = ("__pycache__", ".pyc")


class Probed(Struct, kw_only=True):
    """What was seen while a plugin was loaded.

    Attributes:
        seconds: of computing and of waiting, by hook, and for `IMPORT`.
        packages: that were imported besides, by the name that is imported.
        acts: what it did that a plugin does when it is built at the earliest, each with the hook,
            or `IMPORT`, in which it did.
        unmarked: functions that are named like hooks and are none.
        printed: what it wrote to the terminal.
    """

    seconds: dict[str, tuple[float, float]] = {}
    packages: list[str] = []
    acts: list[tuple[str, str]] = []
    unmarked: list[str] = []
    has_docstring: bool = True
    printed: str = ""


class _Task(Struct, frozen=True):
    """The plugin: its name and package, or the path and the hash of its file."""

    name: str
    distribution: str
    digest: str = ""


def probe(state: PluginState) -> Probed:
    """Return what is seen while the plugin `state`, which can be loaded, is loaded anew.

    Raises:
        PluginError: it cannot be loaded alone, or takes too long.
    """
    path = Path(state.distribution)
    is_file = not state.version and path.suffix == ".py"
    # Only what is trusted runs: the other process gets the hash, and not the memory.
    known = digest(Trust().content(path)) if is_file else ""
    return asyncio.run(_probed(_Task(state.name, state.distribution, known)))


async def _probed(task: _Task) -> Probed:
    with tempfile.TemporaryDirectory(prefix="citewell-check-") as folder:
        log = Path(folder) / "printed"
        found = None
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                async for message in run(__name__, msgspec.json.encode(task), log=log):
                    found = msgspec.json.decode(message, type=Probed)
        except TimeoutError:
            raise PluginError(f"it was not loaded within {_TIMEOUT_S} s") from None
        except Exception as error:
            raise PluginError(f"it cannot be loaded alone: {error}") from error
        if found is None:
            raise PluginError("it ended the process that loaded it")
        found.printed = log.read_text(encoding="utf-8", errors="replace").strip()
        return found


# --- in the other process -------------------------------------------------------------------


class _Watch:
    """Notes what happens, and when."""

    def __init__(self) -> None:
        self.probed = Probed()
        self._phase = ""
        sys.addaudithook(self._see)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Note what is done meanwhile as done in `name`."""
        self._phase = name
        computing, waiting = time.process_time(), _waited_s()
        try:
            yield
        finally:
            self._phase = ""
            self.probed.seconds[name] = (
                time.process_time() - computing,
                _waited_s() - waiting,
            )

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._phase:
            return
        act = _EVENTS.get(event, "")
        if event == "open" and _is_written(arguments) and not _is_compiled(arguments[0]):
            act = f"writes the file {arguments[0]}"
        if act and (self._phase, act) not in self.probed.acts:
            self.probed.acts.append((self._phase, act))


def _waited_s() -> float:
    """Return how long nothing was to be computed, since some time or other.

    On a busy machine there is something to be computed, and others are before it: that does not
    count, where the system tells how long it was.
    """
    return time.perf_counter() - time.process_time() - _delayed_s()


def _delayed_s() -> float:
    try:
        return int(_DELAYS.read_text().split()[1]) / 1e9
    except (OSError, IndexError, ValueError):
        return 0.0


def _is_written(arguments: tuple[Any, ...]) -> bool:
    _, _, flags = arguments
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT))


def _is_compiled(path: object) -> bool:
    # A number is a descriptor that was opened before.
    return not isinstance(path, str) or any(part in path for part in _COMPILED)


def _work(request: bytes, tell: Tell) -> None:
    task = msgspec.json.decode(request, type=_Task)
    load = _loading(task)
    watch = _Watch()
    before = {*sys.modules}
    with watch.phase(IMPORT):
        module = load()
    for name, function in _registering(module):
        with watch.phase(name):
            tuple(function())
    probed = watch.probed
    probed.packages = _packages({*sys.modules} - before, module)
    probed.unmarked = _unmarked(module)
    probed.has_docstring = bool(inspect.getdoc(module))
    sys.stdout.flush()
    tell(msgspec.json.encode(probed))


def _loading(task: _Task) -> Callable[[], ModuleType]:
    if not task.digest:
        return next(
            candidate.load
            for candidate in installed()
            if (candidate.name, candidate.distribution) == (task.name, task.distribution)
        )
    path = Path(task.distribution).resolve()
    content = read_plugin_file(path)
    if digest(content) != task.digest:
        raise PluginError(f"{path} changed after it was loaded; start again")
    return lambda: run_plugin_file(path, content)


def _registering(module: ModuleType) -> Iterator[tuple[str, Callable[[], Any]]]:
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(hookspecs)
    manager.register(module)
    for caller in manager.get_hookcallers(module) or ():
        if caller.name.startswith("register_"):
            for implementation in caller.get_hookimpls():
                yield caller.name, implementation.function


def _packages(modules: set[str], module: ModuleType) -> list[str]:
    own = {PROJECT, module.__name__.split(".")[0]}
    names = {name.split(".")[0] for name in modules}
    return sorted(
        name for name in names - own - sys.stdlib_module_names if not name.startswith("_")
    )


def _unmarked(module: ModuleType) -> list[str]:
    found = {name: vars(module).get(name) for name in HOOKS}
    return [
        name
        for name, function in found.items()
        if inspect.isfunction(function) and not hasattr(function, f"{PROJECT}_impl")
    ]


if __name__ == "__main__":
    serve(_work)
