"""What this plugin offers."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from importlib.util import find_spec
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, model_validator

from citewell import Config, Context, LocalPath, MissingExtra, Source, SourceSpec, hookimpl
from citewell.globs import Glob
from citewell_web.urls import UrlRefused, parse

_HEADER = re.compile(r"[A-Za-z0-9-]{1,64}")
_OURS = frozenset({
    *("host", "user-agent", "accept-encoding", "if-none-match", "if-modified-since", "connection"),
    *("content-length", "transfer-encoding", "te", "upgrade", "expect", "trailer", "range"),
})


def _address(text: str) -> str:
    try:
        return str(parse(text))
    except UrlRefused as error:
        raise ValueError(f"{error}; expected an address like https://docs.example.com/") from error


def _allowed(text: str) -> str:
    from citewell_web.addresses import allowed_entry

    try:
        allowed_entry(text)
    except ValueError as error:
        raise ValueError(
            f'{error}; expected a network like "10.0.0.0/8", an address or a host name'
        ) from error
    return text.lower()


def _header(name: str) -> str:
    if not _HEADER.fullmatch(name) or name.lower() in _OURS:
        raise ValueError('expected the name of a header that Citewell does not set, like "Cookie"')
    return name.lower()


def _some(urls: tuple[str, ...]) -> tuple[str, ...]:
    if not urls:
        raise ValueError("expected at least one address, like https://docs.example.com/")
    return urls


StartUrl = Annotated[str, AfterValidator(_address)]
HeaderName = Annotated[str, AfterValidator(_header)]


class WebConfig(Config):
    """Settings of the source `web`."""

    urls: Annotated[tuple[StartUrl, ...], AfterValidator(_some)] = Field(
        json_schema_extra={"minItems": 1},
        description="Where reading begins. Only what lies at the host of one of them, below its "
        "folder, is read. One that ends in .xml or .xml.gz is a sitemap.",
        examples=[["https://docs.example.com/"]],
    )
    discover: Literal["links", "sitemaps", "both"] = Field(
        default="both",
        description="How further pages are found: by the links of pages, by the sitemaps that "
        "robots.txt names (or /sitemap.xml), or both.",
    )
    include: tuple[Glob, ...] = Field(
        default=(),
        description="Patterns as in a .gitignore file, of addresses without https://; only what "
        "matches is kept, links of other pages are followed all the same. Empty: all.",
    )
    exclude: tuple[Glob, ...] = Field(
        default=(), description="Patterns of addresses that are not asked for."
    )
    query: Literal["keep", "drop"] = Field(
        default="keep",
        description="Whether addresses that differ behind a ? are different pages.",
    )
    robots: bool = Field(
        default=True,
        description="Whether robots.txt and the robots rules of pages are obeyed. Switch it off "
        "for a site of your own only.",
    )
    max_pages: int = Field(
        default=2000,
        ge=1,
        description="So many addresses that links and sitemaps lead to are asked for, at most. "
        "Pages that are indexed already are asked for in any case.",
    )
    max_depth: int = Field(
        default=20, ge=0, description="So many links away from an address in urls, at most."
    )
    max_mb: float = Field(default=20.0, gt=0, description="A larger page or file is refused.")
    max_total_mb: float = Field(
        default=2000.0,
        gt=0,
        description="All new pages and files of one look at the site together; further ones are "
        "reported, and read at the next look.",
    )
    timeout_s: float = Field(
        default=30.0, gt=0, description="For each request, from its beginning to its end."
    )
    requests_per_s: float = Field(
        default=5.0, gt=0, description="To one host; a crawl delay in robots.txt lowers it."
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="Requests under way at once.")
    pause_minutes: float = Field(
        default=60.0,
        ge=0,
        description="How long `citewell run` and `citewell sync --watch` leave the site alone "
        "between two looks.",
    )
    user_agent: str | None = Field(
        default=None,
        pattern=r"^[\x20-\x7e]+$",
        description='What hosts are told; default: "Citewell/" and the version.',
    )
    allow_private: tuple[Annotated[str, AfterValidator(_allowed)], ...] = Field(
        default=(),
        description="Networks, addresses and host names that are not public and may be reached, "
        'like "10.0.0.0/8" or "wiki.internal". No others are.',
    )
    headers: Mapping[str, Mapping[HeaderName, SecretStr]] = Field(
        default={},
        description="Headers by host (with its port, where the address in urls has one), for "
        "sites that want a login. No other host is sent them.",
    )
    ca_file: LocalPath | None = Field(
        default=None,
        description="Certificates of an authority of your own, in PEM, trusted beside the usual.",
    )

    @model_validator(mode="after")
    def _headers_belong_to_a_host(self) -> WebConfig:
        hosts = sorted({parse(url).authority for url in self.urls})
        for host in self.headers:
            if host not in hosts:
                raise ValueError(f'headers."{host}": expected a host of urls: {", ".join(hosts)}')
        return self


@asynccontextmanager
async def build(config: WebConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; the site itself is read at each sync."""
    for package in ("httpcore", "protego"):
        if find_spec(package) is None:
            raise MissingExtra('source "web"', package=package, extra="web")
    from citewell_web.site import open_site

    async with open_site(config, context) as site:
        yield site


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `web`."""
    return (
        SourceSpec(
            name="web",
            summary="the pages of a site, by its links and sitemaps",
            config=WebConfig,
            build=build,
            extra="web",
        ),
    )
