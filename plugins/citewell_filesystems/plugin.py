"""What this plugin offers; nothing heavy is imported here."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any

from pydantic import Field, SecretStr, field_validator

from citewell import Config, Context, Source, SourceSpec, hookimpl
from citewell.globs import Glob

_LINK = re.compile(r"(?P<protocol>[a-z][a-z0-9+._-]*)(?:://(?P<path>.*))?", re.DOTALL)
# They wrap other file systems, or follow whatever addresses they are given: a listing could lead
# anywhere, or fill the disk.
_REFUSED = frozenset(
    ("async_wrapper", "asyncwrapper", "blockcache", "cached", "dask", "data", "dir", "filecache",
     "generic", "http", "https", "reference", "simplecache")
)  # fmt: skip
_LOCAL = frozenset({"file", "local"})
# Names of options that every package of fsspec uses for what nobody else may know.
_SECRET = re.compile(
    r"(?:.*_)?(?:key|secret|password|passwd|passphrase|token|credentials?|connection_string)"
)
# Of these packages, `token` may as well say by which way to log in.
_NO_SECRETS = frozenset({"anon", "browser", "cache", "cloud", "google_default"})
_GIVEN_AS = "given as { env = NAME } or { file = PATH }"


class FilesystemConfig(Config):
    """Settings of the source `filesystem`."""

    url: str = Field(
        min_length=1,
        description='What is read: "s3://bucket/folder", and gs, az, sftp, ftp, webdav or whatever '
        'else fsspec knows; "zip::s3://bucket/docs.zip" for what is in an archive.',
        examples=["s3://bucket/folder"],
    )
    options: Mapping[str, str | int | float | bool] = Field(
        default={},
        description="Options of the file system, as its documentation names them: endpoint_url, "
        "region and anon of S3, host and username of SFTP.",
    )
    secrets: Mapping[str, SecretStr] = Field(
        default={},
        description="Options that are secret: key, secret and token of S3, password of SFTP, each "
        f"{_GIVEN_AS}. Default: what the library of the file system finds by itself.",
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
    uri_template: str | None = Field(
        default=None,
        pattern=r"^https?://",
        description="What a person opens to see a file: an address with {path}, which is the path "
        "below url, or {key}, the path in the bucket. Default: nothing can be opened.",
    )
    max_object_mb: float = Field(
        default=50, gt=0, le=10_000, description="Larger files are not fetched."
    )
    at_once: int = Field(default=8, ge=1, le=64, description="How many files are fetched at once.")

    @field_validator("url")
    @classmethod
    def _url_is_known(cls, value: str) -> str:
        links = [_LINK.fullmatch(link) for link in value.split("::")]
        if any(link is None for link in links) or (links[-1] and links[-1]["path"] is None):
            raise ValueError('expected a URL like "s3://bucket/folder"')
        for link in links:
            if link is not None:
                _check_link(link["protocol"], link["path"] or "")
        return value

    @field_validator("options")
    @classmethod
    def _options_hold_no_secret(
        cls, value: Mapping[str, str | int | float | bool]
    ) -> Mapping[str, str | int | float | bool]:
        for name, one in value.items():
            is_secret = isinstance(one, str) and one not in _NO_SECRETS
            if is_secret and _SECRET.fullmatch(name.lower()):
                raise ValueError(
                    f"a secret never stands in the settings; move {name} to secrets, {_GIVEN_AS}"
                )
            if isinstance(one, str) and "@" in one.partition("://")[2].partition("/")[0]:
                raise ValueError(
                    f"{name}: a secret never stands in the settings; give the user name among "
                    "options, and the password in secrets"
                )
        return value

    @field_validator("uri_template")
    @classmethod
    def _template_names_the_file(cls, value: str | None) -> str | None:
        if value is not None and "{path}" not in value and "{key}" not in value:
            raise ValueError("expected {path} or {key} where the name of the file goes")
        return value

    @property
    def protocols(self) -> tuple[str, ...]:
        """The protocols of the URL, from what is read outwards to where it is kept."""
        return tuple(link.partition("://")[0] for link in self.url.split("::"))


def _check_link(protocol: str, path: str) -> None:
    if protocol in _REFUSED:
        raise ValueError(f'"{protocol}" is none of the file systems that can be read here')
    if protocol in _LOCAL and not path.startswith("/"):
        raise ValueError(f'expected a whole path, like "{protocol}:///srv/docs"')
    if ":" in path.partition("/")[0].rpartition("@")[0]:
        raise ValueError("a secret never stands in the settings; give the password in secrets")


@asynccontextmanager
async def build(config: FilesystemConfig, context: Context) -> AsyncIterator[Source]:
    """Open the source; what it reads is connected to at each sync.

    Raises:
        MissingExtra: fsspec, or s3fs for S3, is not installed.
        PluginError: the package for another file system is not installed.
    """
    from citewell_filesystems.opening import check_installed

    check_installed(config.protocols, name=context.name)
    from citewell_filesystems.objects import Objects

    objects = Objects(config, context)
    try:
        yield objects
    finally:
        objects.close()


@hookimpl
def register_sources() -> Iterable[SourceSpec[Any]]:
    """Offer `filesystem`."""
    return (
        SourceSpec(
            name="filesystem",
            summary="object stores and other file systems: S3, GCS, Azure, SFTP, WebDAV, archives",
            config=FilesystemConfig,
            build=build,
        ),
    )
