"""File systems of fsspec, opened for one sync."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

from citewell import MissingExtra, PluginError
from citewell_filesystems.plugin import FilesystemConfig

FileSystem: TypeAlias = Any
"""An `fsspec.AbstractFileSystem`: fsspec has no types."""

STORES = frozenset({"s3", "s3a", "gs", "gcs", "az", "abfs", "abfss", "adl", "oci", "oss", "tos"})
"""Of these the first name of a path is a bucket, and a folder without objects does not exist."""

_S3 = frozenset({"s3", "s3a"})
# Where the package is not called like the module.
_PACKAGES = {
    **dict.fromkeys(("gs", "gcs"), "gcsfs"),
    **dict.fromkeys(("az", "abfs", "abfss"), "adlfs"),
    **dict.fromkeys(("sftp", "ssh"), "paramiko"),
    "smb": "smbprotocol",
    "webdav": "webdav4[fsspec]",
    "webhdfs": "requests",
}


class RedirectedAway(Exception):
    """A store sent a request to another place, which is not followed."""


def check_installed(protocols: Sequence[str], *, name: str) -> None:
    """Find the packages for `protocols` without connecting to anything.

    Raises:
        MissingExtra: fsspec, or s3fs for S3, is not installed.
        PluginError: another package is not, or no package is known.
    """
    try:
        from fsspec.registry import get_filesystem_class
    except ImportError as error:
        raise MissingExtra(f'library "{name}"', package="fsspec", extra="filesystems") from error
    for protocol in protocols:
        try:
            get_filesystem_class(protocol)
        except ImportError as error:
            if protocol in _S3:
                raise MissingExtra(f'library "{name}"', package="s3fs", extra="s3") from error
            package = _PACKAGES.get(protocol)
            fix = f"run: pip install {package}" if package else _one_line(error)
            raise PluginError(
                f'library "{name}" reads {protocol}://, for which a package is not installed; {fix}'
            ) from error
        except ValueError as error:
            raise PluginError(
                f'library.{name}: url: "{protocol}" is no file system that fsspec knows; '
                'expected "s3", "gs", "az", "sftp" or another one'
            ) from error


@contextmanager
def opened(config: FilesystemConfig) -> Iterator[tuple[FileSystem, str]]:
    """Yield the file system, and the path in it that is read.

    It is a new one each time: what fsspec remembers of a listing, or of an archive, would be old.
    """
    from fsspec.core import url_to_fs

    options = _options(config)
    filesystem, path = url_to_fs(config.url, **options)
    root = filesystem._strip_protocol(path).rstrip("/")  # noqa: SLF001 - how fsspec names paths
    try:
        yield filesystem, root
    finally:
        filesystem.invalidate_cache()


def _options(config: FilesystemConfig) -> dict[str, Any]:
    """Return the options where fsspec wants them: those of an archive are of what holds it."""
    options: dict[str, Any] = dict(config.options)
    options.update((name, secret.get_secret_value()) for name, secret in config.secrets.items())
    holder = config.protocols[-1]
    if holder in _S3:
        from citewell_filesystems.staying import StayingSession

        options["config_kwargs"] = {"http_session_cls": StayingSession}
        if "region" in options:
            options["client_kwargs"] = {"region_name": options.pop("region")}
    options["skip_instance_cache"] = True
    return options if len(config.protocols) == 1 else {holder: options}


def explained(error: BaseException, secrets: Mapping[str, Any]) -> str:
    """Return why something failed, in one line and without a secret."""
    from citewell import redact

    if isinstance(error, FileNotFoundError):
        return "it does not exist"
    if isinstance(error, PermissionError):
        return "access is denied"
    if any(isinstance(one, TimeoutError) for one in _causes(error)):
        return "it does not answer in time"
    if isinstance(error, RedirectedAway):
        return "it redirects to another place, which is not followed"
    said = redact(_one_line(error)) or type(error).__name__
    for secret in secrets.values():
        said = said.replace(secret.get_secret_value(), "***")
    return said[:300].rstrip(".")


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from: s3fs fails once more while it tells of a timeout."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        yield cause
        seen.append(cause)
        cause = cause.__cause__ or cause.__context__


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())
