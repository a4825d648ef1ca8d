"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import date
from typing import Any, Literal, TypeAlias

from pydantic import Field, SecretStr, model_validator

from citewell import (
    Config,
    Context,
    Loader,
    LoaderSpec,
    MissingExtra,
    Source,
    SourceSpec,
    hookimpl,
)

SUFFIX = ".github"
"""Of the files in which the source hands over an issue with its comments."""

Kind: TypeAlias = Literal["issues", "pulls"]
Association: TypeAlias = Literal["owner", "member", "collaborator", "contributor"]


class GitHubConfig(Config):
    """Settings of the source `github`."""

    repository: str = Field(
        pattern=r"^[A-Za-z0-9_.-]+/[A-Za-z0-9_.-]+$",
        description='Owner and name: "owner/name".',
        examples=["owner/name"],
    )
    api_url: str = Field(
        default="https://api.github.com",
        pattern=r"^https?://[^\s?#@]+$",
        description='Address of the API; of GitHub Enterprise Server "https://HOST/api/v3".',
    )
    token: SecretStr | None = Field(
        default=None,
        description="Given as { env = NAME } or { file = PATH }; it needs to read issues, and pull "
        "requests where those are read. Default: without, for small public repositories.",
    )
    kinds: tuple[Kind, ...] = Field(
        default=("issues",), min_length=1, description='What is read: "issues", "pulls", or both.'
    )
    state: Literal["all", "open", "closed"] = Field(
        default="all", description="Whether only what is open, or closed, is read."
    )
    with_labels: tuple[str, ...] = Field(
        default=(), description="Only what has one of these labels of GitHub is read. Empty: all."
    )
    without_labels: tuple[str, ...] = Field(
        default=(), description="What has one of these labels of GitHub is left out."
    )
    since: date | None = Field(
        default=None, description="Only what changed on this day or later is read."
    )
    max_issues: int | None = Field(
        default=None, ge=1, description="Of more, those that changed last are read."
    )
    bots: bool = Field(default=False, description="Whether what bots wrote is read as well.")
    without_authors: tuple[str, ...] = Field(
        default=(), description="What these users wrote is left out."
    )
    comments_by: tuple[Association, ...] = Field(
        default=(),
        description="Only comments by these are read, as GitHub says what somebody is to the "
        "repository. Empty: by anybody.",
    )
    spam: bool = Field(
        default=False, description='Whether what is locked with the reason "spam" is read as well.'
    )
    full_listing_h: float = Field(
        default=0,
        ge=0,
        description="Hours between two listings of everything, which find what was deleted; in "
        "between only what changed is asked for. 0: at each sync.",
    )
    patience_s: float = Field(
        default=60, ge=0, description="How long a sync waits when GitHub wants no more requests."
    )

    @model_validator(mode="after")
    def _token_is_not_sent_openly(self) -> GitHubConfig:
        if self.token is not None and not _is_private(self.api_url):
            raise ValueError(
                'api_url: expected "https://": whoever listens on the way would have the token'
            )
        return self


def _is_private(url: str) -> bool:
    """Tell whether what is sent there can be read on the way by nobody."""
    from ipaddress import ip_address
    from urllib.parse import urlsplit

    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        return parts.scheme == "https" or host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


class ThreadConfig(Config):
    """Settings of the loader `github`: none."""


@asynccontextmanager
async def build(config: GitHubConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; the API is asked at each sync.

    Raises:
        MissingExtra: httpx or tenacity is not installed.
    """
    for package in ("httpx", "tenacity"):
        try:
            __import__(package)
        except ImportError as error:
            what = f'library "{context.name}"'
            raise MissingExtra(what, package=package, extra="github") from error
    from citewell_github.repository import Repository

    repository = Repository(config, context)
    try:
        yield repository
    finally:
        repository.close()


@asynccontextmanager
async def build_loader(_config: ThreadConfig, _context: Context) -> AsyncIterator[Loader]:
    """Open the loader."""
    from citewell_github.loader import ThreadLoader

    yield ThreadLoader()


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `github`."""
    return (
        SourceSpec(
            name="github",
            summary="issues and pull requests of a GitHub repository, with their comments",
            config=GitHubConfig,
            build=build,
        ),
    )


@hookimpl
def register_loaders() -> Iterable[LoaderSpec[Any]]:
    """Offer what reads the files of the source."""
    return (
        LoaderSpec(
            name="github",
            summary="an issue with its comments, each with its author, date and link",
            config=ThreadConfig,
            build=build_loader,
            suffixes=(SUFFIX,),
            version=2,
            is_private=True,
        ),
    )
