"""`citewell init`: writes a first settings file."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, cast

import click

from citewell.cli.options import examples
from citewell.cli.starters import NEEDS, Need, starter
from citewell.errors import ConfigError

if TYPE_CHECKING:
    from citewell.engine.registry import Registry

_FOLDERS = ("docs", "doc", "documents", "handbook", "wiki")
# Models that come with Citewell and have no manner of their own.
_PLAIN_MODELS = {"extractive", "scripted"}


@click.command(
    "init",
    epilog=examples("citewell init", "citewell init --need facts --docs handbook/"),
)
@click.option("--need", type=click.Choice(NEEDS), help="What you need most.")
@click.option(
    "--docs", type=click.Path(path_type=Path, file_okay=False), help="Folder of your documents."
)
@click.option("--force", is_flag=True, help="Replace a citewell.toml that is there.")
def command(need: str | None, docs: Path | None, force: bool) -> None:
    """Write citewell.toml for your main need, and say when more becomes worth adding.

    facts: answers from documents, with citations (retrieval). behaviour: a format, tone or skill
    (a tuned model). both: begins with retrieval. Without a terminal nothing is asked: the need is
    facts, and the documents are in the first folder with a likely name, or here.
    """
    from citewell.engine.settings import FILE_NAME, load_registry

    path = Path(FILE_NAME)
    if path.exists() and not force:
        raise ConfigError(f"{path} is there already; --force replaces it")
    chosen = cast("Need", need or _asked_need())
    folder = docs or (Path() if chosen == "behaviour" else _asked_docs())
    made = starter(chosen, docs=folder.as_posix(), model=_model(load_registry(None)))
    from citewell.engine.settings import save_settings

    save_settings(path, made.text)
    _hide_index()
    click.echo(f"wrote {path}: {_summary(chosen, folder)}")
    click.echo(f"later: {made.advice}")
    if chosen == "behaviour":
        click.echo('next: citewell ask "..."')
    else:
        click.echo('next: citewell sync, then citewell ask "..."')
        if not folder.is_dir():
            click.echo(f"note: the folder {folder} is not there yet", err=True)


def _asked_need() -> str:
    if not sys.stdin.isatty():
        return "facts"
    click.echo("What do you need most?")
    click.echo("  facts      answers from your documents, each sentence with a citation")
    click.echo("  behaviour  a format, a tone, a way of working, from a tuned model")
    click.echo("  both")
    answer: str = click.prompt("Need", type=click.Choice(NEEDS), default="facts")
    return answer


def _asked_docs() -> Path:
    likely = next((Path(name) for name in _FOLDERS if Path(name).is_dir()), Path())
    if not sys.stdin.isatty():
        return likely
    answer: Path = click.prompt(
        "Folder of your documents",
        type=click.Path(path_type=Path, file_okay=False, exists=True),
        default=likely,
    )
    return answer


def _model(registry: Registry) -> str | None:
    """Return a language model that needs no settings, if a plugin brought one."""
    for name, spec in registry.models.items():
        has_defaults = not any(field.is_required() for field in spec.config.model_fields.values())
        if name not in _PLAIN_MODELS and has_defaults:
            return name
    return None


def _hide_index() -> None:
    """Keep the index and the journal, which are not for others, out of commits."""
    from citewell.engine.assembly import DATA_DIR

    with suppress(OSError):
        Path(DATA_DIR).mkdir(exist_ok=True)
        (Path(DATA_DIR) / ".gitignore").write_text("*\n", encoding="utf-8")


def _summary(need: Need, folder: Path) -> str:
    if need == "behaviour":
        return "a model that answers without documents"
    place = "this folder" if folder == Path() else f"{folder}/"
    return f"answers from {place} in the sources' own sentences, each cited"
