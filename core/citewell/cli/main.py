"""The program `citewell`: finds the command, runs it, and says in one line what went wrong."""

from __future__ import annotations

import codecs
import gc
import logging
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from citewell.cli.options import FAILED
from citewell.cli.wording import safe, safe_line
from citewell.errors import AdapterError, CitewellError, ConfigError, PluginError
from citewell.redaction import Redacting, redact

if TYPE_CHECKING:
    from citewell.engine.registry import Registry
    from citewell.specs import CommandSpec

UNCONNECTED = 2
INTERRUPTED = 130
_PIPE_CLOSED = 141
_GARBAGE_THRESHOLD = 50_000
# Where an encoding lacks what we draw with.
_PLAIN = {"│": "|", "─": "-", "━": "-", "…": "...", "\u2013": "-", "\u2014": "-", "\u2019": "'"}

# Module and summary; a command's module is imported only when the command is run.
COMMANDS: Mapping[str, tuple[str, str]] = {
    "init": ("init", "Write a settings file for your main need."),
    "sync": ("sync", "Bring the index up to date with the documents."),
    "ask": ("ask", "Answer a question, with checked citations."),
    "chat": ("chat", "Hold a conversation with the documents."),
    "why": ("why", "Explain an earlier answer."),
    "sources": ("sources", "Show what is indexed."),
    "run": ("run", "Answer in the chat services of the settings."),
    "try": ("tryout", "See a bot answer in a chat service, without a token."),
    "use": ("use", "Let another model answer; running processes follow."),
    "eval": ("eval", "Measure what answers best, on questions of your own."),
    "data": ("data", "Check and prepare what a model is to learn from."),
    "tune": ("tune", "Let a model learn from examples, and prove what it learnt."),
    "runs": ("runs", "See what became of trainings."),
    "deploy": ("deploy", "Let what a run made answer."),
    "fit": ("fit", "Find how much words weigh beside vectors, on your questions."),
    "reindex": ("reindex", "Embed what is indexed anew, while questions go on."),
    "budgets": ("budgets", "Show what was spent, and what may be."),
    "export": ("export", "Print what is kept of a person."),
    "forget": ("forget", "Delete what is kept of a person."),
    "config": ("config", "Check the settings, or print their schema."),
    "plugins": ("plugins", "List plugins, check them, trust a plugin file, or begin one."),
    "doctor": ("doctor", "Look for what could keep Citewell from working."),
    "completion": ("completion", "Print what makes a shell complete commands."),
}


class _PipeClosed(Exception):
    """Nobody reads the output any more. An `OSError` that says so click would keep to itself."""


@contextmanager
def _noticing_a_closed_pipe() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _PipeClosed from error


class CommandLine(click.Group):
    """A group whose commands are found by name, among our own and then in the plugins."""

    def make_context(self, *arguments: Any, **extra: Any) -> click.Context:
        """Read the arguments; this is where help is shown."""
        with _noticing_a_closed_pipe():
            return super().make_context(*arguments, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        with _noticing_a_closed_pipe():
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click calls it
        """Return our own commands, then those of plugins."""
        return [*COMMANDS, *sorted(_plugin_commands())]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click calls it
        """Import the command `cmd_name`."""
        if cmd_name in COMMANDS:
            module = import_module(f"citewell.cli.{COMMANDS[cmd_name][0]}")
            command: click.Command = module.command
            return command
        spec = _plugin_commands().get(cmd_name)
        return None if spec is None else _loaded(spec)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command that `args` begins with, or name the nearest one."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from citewell.engine.nearest import did_you_mean

            hint = did_you_mean(args[0], self.list_commands(ctx), "see: citewell --help")
            raise click.UsageError(f'no command is called "{safe(args[0])}"{hint}', ctx) from error

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click calls it
        """Write the list of commands without importing any."""
        plugins = {name: spec.summary for name, spec in sorted(_plugin_commands().items())}
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])
        if plugins:
            with formatter.section("Commands of plugins"):
                formatter.write_dl(list(plugins.items()))


def _plugin_commands() -> Mapping[str, CommandSpec]:
    commands = _registry().commands
    return {name: spec for name, spec in commands.items() if name not in COMMANDS}


def _registry() -> Registry:
    """Return the plugins of the settings file that is near, or those that are installed."""
    from citewell.engine.settings import find_config, load_registry

    try:
        return load_registry(find_config(Path.cwd()))
    except ConfigError:
        return load_registry(None)


def _loaded(spec: CommandSpec) -> click.Command:
    try:
        command = spec.load()
    except Exception as error:
        cause = f"{type(error).__name__}: {error}"
        raise PluginError(f'command "{spec.name}" cannot be loaded: {cause}') from error
    if not isinstance(command, click.Command):
        raise PluginError(f'command "{spec.name}" is {command!r}; expected a click.Command')
    return command


@click.group(
    name="citewell",
    cls=CommandLine,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 96},
)
@click.version_option(package_name="citewell", message="citewell %(version)s")
def cli() -> None:
    """Answers from your own documents, each sentence with a citation that was checked."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    if sys.stdout is None:
        click.echo("error: standard output is closed, so nothing can be shown", err=True)
        return FAILED
    _open_streams()
    _log_to_stderr()
    try:
        result = cli.main(
            None if arguments is None else list(arguments),
            prog_name="citewell",
            standalone_mode=False,
            color=_colour(),
        )
        sys.stdout.flush()
    except BaseException as error:
        code = _explained(error)
        if code is None:
            raise
        return code
    return result if isinstance(result, int) else 0


def _open_streams() -> None:
    """Let nothing that is shown fail for want of a character, or of a stream that is closed."""
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - open until the end
    if sys.stderr is None:
        sys.stderr = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - open until the end
    codecs.register_error("citewell.plain", _in_plain_characters)
    errors = {sys.stdin: "replace", sys.stdout: "citewell.plain", sys.stderr: "citewell.plain"}
    for stream, handler in errors.items():
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=handler)


def _in_plain_characters(error: UnicodeError) -> tuple[str, int]:
    """Return what stands for characters that an encoding lacks, as codecs want it."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lacking = error.object[error.start : error.end]
    return "".join(_PLAIN.get(character, "?") for character in lacking), error.end


def _log_to_stderr() -> None:
    """Show warnings in a line each, or everything where the user wants to debug."""
    if os.environ.get("CITEWELL_DEBUG"):
        everything = logging.StreamHandler()
        everything.setFormatter(Redacting(logging.BASIC_FORMAT))
        logging.basicConfig(level=logging.DEBUG, handlers=[everything])
        sys.excepthook = _show_without_secrets
        return
    handler = logging.StreamHandler()
    handler.setFormatter(_OneLine())
    logging.basicConfig(level=logging.WARNING, handlers=[handler])


class _OneLine(logging.Formatter):
    """Gives the cause of what went wrong in words, without a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        cause = f": {error}" if error else ""
        return safe_line(redact(f"{record.levelname.lower()}: {record.getMessage()}{cause}"))


def _show_without_secrets(
    kind: type[BaseException], error: BaseException, traceback: TracebackType | None
) -> None:
    from traceback import format_exception

    click.echo(redact("".join(format_exception(kind, error, traceback))), err=True, nl=False)


def _explained(error: BaseException) -> int | None:
    """Say what went wrong and return the exit code; None leaves the error to Python."""
    if isinstance(error, click.ClickException):
        error.show()
        return error.exit_code
    if isinstance(error, click.Abort | KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return INTERRUPTED
    if isinstance(error, OSError | _PipeClosed):
        _forget_output()
    if isinstance(error, BrokenPipeError | _PipeClosed):
        return _PIPE_CLOSED
    if not isinstance(error, Exception) or os.environ.get("CITEWELL_DEBUG"):
        return None
    for line in _lines(error):
        click.secho("error: ", fg="red", bold=True, nl=False, err=True, color=_colour())
        click.echo(safe(redact(line)), err=True)
    return UNCONNECTED if _is_about_connecting(error) else FAILED


def _is_about_connecting(error: Exception) -> bool:
    if isinstance(error, ExceptionGroup):
        return any(map(_is_about_connecting, error.exceptions))
    return isinstance(error, AdapterError)


def _forget_output() -> None:
    """Drop what cannot be shown: Python would complain once more when it flushes at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _lines(error: Exception) -> Iterator[str]:
    if isinstance(error, ExceptionGroup):
        for inner in error.exceptions:
            yield from _lines(inner)
    elif isinstance(error, CitewellError):
        yield from str(error).splitlines()
    elif isinstance(error, OSError):
        what = error.filename or "standard output, or an open file,"
        yield f"{what} cannot be used: {error.strerror or error}"
    else:
        yield f"this should not have happened: {type(error).__name__}: {error}"
        yield "please report it with what CITEWELL_DEBUG=1 shows when you run the command again"


def _colour() -> bool | None:
    """Return False where the user wants none; None leaves it to whether this is a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def main(*arguments: Any) -> NoReturn:
    """Run the command line and exit."""
    # A command is mostly imports, which make no garbage: looking for it less often, and not once
    # more at the end, saves an eighth of the time of a short one.
    gc.set_threshold(_GARBAGE_THRESHOLD)
    # Pydantic would look through every installed package, and run what one offers it.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    code = run(arguments or None)
    gc.freeze()
    sys.exit(code)
