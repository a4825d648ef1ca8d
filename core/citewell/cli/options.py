"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click
from msgspec import Struct

from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.engine.settings import Settings

FAILED = 1
"""The exit code when something failed, and the message says what."""

Decorated = TypeVar("Decorated", bound=Callable[..., Any])


class Where(Struct, frozen=True):
    """Which documents a command is about.

    Attributes:
        config: the settings file, when one was named.
        docs: the folder that is asked without a settings file.
    """

    config: Path | None = None
    docs: Path | None = None

    @property
    def words(self) -> str:
        """The options that name the same documents again, with a blank before each."""
        import shlex

        named = {"--docs": self.docs, "--config": self.config}
        return "".join(f" {key} {shlex.quote(str(value))}" for key, value in named.items() if value)

    def settings(self) -> Settings:
        """Return the settings of the folder, of the named file, or of the nearest file.

        Raises:
            ConfigError: there is no file, or it is wrong.
        """
        from citewell.engine.settings import find_config, folder_settings, load_settings

        if self.docs is not None:
            return folder_settings(self.docs)
        path = self.config or find_config(Path.cwd())
        if path is None:
            raise ConfigError(
                "no citewell.toml here or in a folder above; "
                "name a folder with --docs FOLDER, or run: citewell init"
            )
        return load_settings(path)


config_option = click.option(
    "-c",
    "--config",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Settings file; by default citewell.toml here or in a folder above.",
)
docs_option = click.option(
    "--docs",
    type=click.Path(path_type=Path, file_okay=False),
    metavar="FOLDER",
    help="Use this folder of documents, without a settings file.",
)


def _labels(
    _context: click.Context, _parameter: click.Parameter, value: str | None
) -> tuple[str, ...]:
    if value is None:
        return ()
    labels = tuple(filter(None, (label.strip() for label in value.split(","))))
    if not labels:
        raise click.BadParameter("expected a label; a reader without any may read nothing")
    return labels


def share(_context: click.Context, _option: click.Parameter, value: str | None) -> float:
    """Read a share that is written like 20% or 0.2; a callback of an option."""
    if value is None:
        return 0.0
    number, percent, rest = value.strip().partition("%")
    try:
        found = float(number) / (100 if percent else 1)
    except ValueError:
        found = -1.0
    if rest or not 0 <= found < 1:
        raise click.BadParameter(f'"{value}" is no share; expected one from 0% to 99%, like 20%')
    return found


profile_option = click.option(
    "-p", "--profile", metavar="NAME", help="Profile that answers; by default the settings choose."
)
reader_option = click.option(
    "--as",
    "labels",
    metavar="LABELS",
    callback=_labels,
    help="Labels of the reader, with commas between; by default those that the settings give.",
)


def where_options(command: Decorated) -> Decorated:
    """Add `--config` and `--docs`."""
    return config_option(docs_option(command))


def where(config: Path | None, docs: Path | None) -> Where:
    """Return what was named.

    Raises:
        click.UsageError: both were.
    """
    if config is not None and docs is not None:
        raise click.UsageError("--docs and --config exclude each other")
    return Where(config, docs)


def examples(*lines: str) -> str:
    """Return an epilog with examples, each on a line of its own."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)
