"""What this plugin offers."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pydantic import Field

from citewell import Config, Context, LocalPath, Source, SourceSpec, hookimpl
from citewell.globs import Glob


class GitConfig(Config):
    """Settings of the source `git`."""

    path: LocalPath = Field(
        description="The clone; relative to the settings file.", examples=["../handbook"]
    )
    ref: str = Field(
        default="HEAD",
        pattern=r"^[^-\s][^\s]*$",
        description="Branch, tag or commit that is read; the working tree is not.",
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        description="Patterns as in a .gitignore file; only what matches is read. Empty: all.",
    )
    exclude: tuple[Glob, ...] = Field(
        default=(),
        description="Patterns of what is left out, beside hidden and generated files. "
        'A pattern with "!" takes something back in.',
    )
    permalink: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="Address of a file in a browser, with {commit} and {path}. Default: made from "
        "the address of the remote, for GitHub, GitLab, Bitbucket and Gitea.",
    )


def watched(config: GitConfig, context: Context) -> tuple[Path, ...]:
    """Return the folders in which a commit, a fetch or a checkout leaves its trace.

    Those of a worktree or a submodule lie elsewhere: `.git` is a file there, and names them.
    """
    path = context.resolve(config.path)
    folder = _named_in(path / ".git") or (path / ".git" if (path / ".git").is_dir() else path)
    return tuple(dict.fromkeys((folder, _named_in(folder / "commondir") or folder)))


# Source: Git, Documentation/gitrepository-layout.txt, "gitfile" and "commondir".
def _named_in(file: Path) -> Path | None:
    """Return the folder that a file of git's names, or None when it is no such file."""
    try:
        named = file.read_text(encoding="utf-8") if file.is_file() else ""
    except (OSError, ValueError):
        return None
    named = named.removeprefix("gitdir:").strip()
    return (file.parent / named).resolve() if named else None


@asynccontextmanager
async def build(config: GitConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; the clone itself is read at each sync."""
    from citewell_git.repository import Repository

    repository = Repository(context.resolve(config.path), config, context)
    try:
        yield repository
    finally:
        repository.close()


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `git`."""
    return (
        SourceSpec(
            name="git",
            summary="a commit of a local git clone, cited with permalinks",
            config=GitConfig,
            build=build,
            watched=watched,
        ),
    )
