"""Chat templates: Jinja from a file that nobody vouches for, rendered where it can do nothing."""

from __future__ import annotations

import gc
import json
import pathlib
import signal
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime
from types import FrameType
from typing import Any, NoReturn

from jinja2 import TemplateError, nodes
from jinja2.exceptions import SecurityError
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment

from citewell_llamacpp.wire import Message

_MAX_CHARS = 8_000_000
_MAX_REPEATS = 10_000
_MAX_SECONDS = 2.0
_AGAIN_SECONDS = 0.1
_SPARE_BYTES = 512 * 1024 * 1024


class BadTemplate(Exception):
    """The chat template cannot be used; says why in one line."""


class _Overtime(BaseException):
    """The time is up. No `Exception`: jinja2 swallows those of what it computes in advance."""


class _Generation(Extension):
    """Lets `{% generation %}` pass, with which trainers mark what a model shall learn."""

    tags = {"generation"}  # noqa: RUF012 - jinja2's own declaration

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """Return what stands inside."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox of jinja2, which besides lets nothing grow without bound."""

    intercepted_binops = frozenset({"*", "**", "%"})

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Refuse operators on text, and powers, of which the result may be huge."""
        sizes = [value for value in (left, right) if isinstance(value, int)]
        if operator == "**" or (len(sizes) < 2 and any(abs(n) > _MAX_REPEATS for n in sizes)):
            raise SecurityError(f"{operator} makes too large a value")
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% on text is not allowed")
        return super().call_binop(context, operator, left, right)


class Template:
    """A chat template.

    Args:
        source: Jinja, as transformers and llama.cpp take it.
        bos: text of the token that begins a text.
        eos: text of the token that ends one.
        may_end_process: end this process where nothing else stops the template: in one operation
            that keeps the interpreter busy, like comparing lists that hold themselves many times.

    Raises:
        BadTemplate: it is no Jinja, takes too much time or memory to compile, or cannot lay out a
            plain question.
    """

    def __init__(self, source: str, *, bos: str, eos: str, may_end_process: bool = False) -> None:
        self._may_end_process = may_end_process
        environment = _Environment(
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=[_Generation, loopcontrols],
            optimized=False,
        )
        environment.filters["tojson"] = _to_json
        self._values: Mapping[str, object] = {
            "bos_token": bos,
            "eos_token": eos,
            "add_generation_prompt": True,
            "raise_exception": _refuse,
            "tools": None,
        }
        # To compile a template computes what is constant in it: anything, for any time.
        with self._bounded():
            self._template = environment.from_string(source)
        self.render([Message("system", "system"), Message("user", "user")])

    def render(self, messages: Sequence[Message], *, day: datetime | None = None) -> str:
        """Return the text of a conversation, up to where the assistant's turn begins.

        Where the template knows no system message, its text goes into the first question.

        Args:
            messages: of the conversation.
            day: that a template is told which asks for today's date; None for today.

        Raises:
            BadTemplate: the template fails, or takes too much time or memory.
        """
        try:
            return self._render(messages, day)
        except BadTemplate:
            folded = without_system(messages)
            if folded == list(messages):
                raise
            return self._render(folded, day)

    def _render(self, messages: Sequence[Message], day: datetime | None) -> str:
        plain = [{"role": message.role, "content": message.content} for message in messages]
        parts: list[str] = []
        length = 0
        values = {**self._values, "strftime_now": _now if day is None else day.strftime}
        with self._bounded():
            for part in self._template.generate(messages=plain, **values):
                parts.append(part)
                length += len(part)
                if length > _MAX_CHARS:
                    raise BadTemplate(f"writes more than {_MAX_CHARS:,} characters")
        return "".join(parts)

    @contextmanager
    def _bounded(self) -> Iterator[None]:
        """Turn whatever a template does wrong inside into a `BadTemplate`."""
        with ExitStack() as stack:
            stack.enter_context(_explained())
            stack.enter_context(_bounded_memory())
            if self._may_end_process:
                stack.enter_context(_last_resort())
            stack.enter_context(_bounded_time())
            yield


def without_system(messages: Sequence[Message]) -> list[Message]:
    """Return the messages with what the system says in front of the first question."""
    if len(messages) < 2 or messages[0].role != "system":
        return list(messages)
    first = Message(messages[1].role, f"{messages[0].content}\n\n{messages[1].content}")
    return [first, *messages[2:]]


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except BadTemplate:
        raise
    except MemoryError:
        raise BadTemplate("takes too much memory") from None
    except TemplateError as error:
        raise BadTemplate(f"{type(error).__name__}: {_line(error)}") from error
    # A template can make any of Python's own operations fail.
    except Exception as error:
        raise BadTemplate(f"fails: {type(error).__name__}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.200}"


@contextmanager
def _bounded_time() -> Iterator[None]:
    """End what runs inside after some seconds; works in the main thread."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def stop(_signal: int, frame: FrameType | None) -> None:
        # What is raised in there is lost; the next signal finds another place.
        if not any(map(_is_callback, _inside(frame))):
            raise _Overtime

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, _MAX_SECONDS, _AGAIN_SECONDS)
    try:
        yield
    except _Overtime:
        raise BadTemplate(f"takes more than {_MAX_SECONDS:g} s") from None
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _inside(frame: FrameType | None) -> Iterator[FrameType]:
    """Yield what this module has called, the innermost first."""
    while frame is not None and frame.f_globals is not globals():
        yield frame
        frame = frame.f_back


def _is_callback(frame: FrameType) -> bool:
    """Tell whether this is a finalizer, or called by a weak reference or the garbage collector."""
    if frame.f_code.co_name == "__del__":
        return True
    if frame.f_globals.get("__name__") in {weakref.__name__, weakref.WeakSet.__module__}:
        return True
    return any(getattr(one, "__code__", None) is frame.f_code for one in gc.callbacks)


@contextmanager
def _last_resort() -> Iterator[None]:
    """End this process once it has computed inside for some seconds, whatever it is busy with."""
    if not hasattr(signal, "setitimer"):
        yield
        return
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, 2 * _MAX_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


@contextmanager
def _bounded_memory() -> Iterator[None]:
    """Let what runs inside take some memory more than the process has, where that can be said."""
    try:
        import resource
    except ImportError:
        yield
        return
    used = _data_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if used is None:
        yield
        return
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_DATA, (used + _SPARE_BYTES, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _data_bytes() -> int | None:
    """Return what RLIMIT_DATA counts. Source: proc_pid_status(5), VmData."""
    try:
        with pathlib.Path("/proc/self/status").open(encoding="ascii") as file:
            sizes = [line.split() for line in file if line.startswith("VmData:")]
    except OSError:
        return None
    return int(sizes[0][1]) * 1024 if sizes else None


def _refuse(message: str) -> NoReturn:
    raise TemplateError(message)


def _now(form: str) -> str:
    return datetime.now().strftime(form)  # noqa: DTZ005 - the local date is what a template shows


def _to_json(value: object, indent: int | None = None) -> str:
    return json.dumps(value, ensure_ascii=False, indent=indent)
