"""Addresses of a file at a commit, made from the address of the remote."""

from __future__ import annotations

import re
from urllib.parse import quote, urlsplit

# Source: the address bar of each service; Forgejo and Codeberg follow Gitea.
_TEMPLATES = (
    ("github", "{root}/blob/{commit}/{path}"),
    ("gitlab", "{root}/-/blob/{commit}/{path}"),
    ("bitbucket", "{root}/src/{commit}/{path}"),
    ("gitea", "{root}/src/commit/{commit}/{path}"),
    ("forgejo", "{root}/src/commit/{commit}/{path}"),
    ("codeberg", "{root}/src/commit/{commit}/{path}"),
)
# `git@host:group/project`, the form of scp
_SCP = re.compile(r"^(?:[^@/\s]+@)?(?P<host>[\w.-]{2,}):(?P<path>[^\s/\\][^\s]*)$")


def template(remote: str) -> str | None:
    """Return the permalink template of a remote, or None for a service that is not known.

    A name or password in the address is left out.
    """
    located = _located(remote)
    if located is None:
        return None
    host, path = located
    root = f"https://{host}/{quote(path)}".replace("{", "%7B").replace("}", "%7D")
    for name, pattern in _TEMPLATES:
        if name in host:
            return pattern.replace("{root}", root)
    return None


def filled(template: str, *, commit: str, path: str) -> str:
    """Return the address of the file `path` at `commit`."""
    return template.replace("{commit}", commit).replace("{path}", quote(path))


def _located(remote: str) -> tuple[str, str] | None:
    """Return host, with a port only where browsers use it, and path of a remote."""
    scp = _SCP.match(remote)
    if "://" not in remote and scp:
        host, path = scp["host"], scp["path"]
    else:
        try:
            parts = urlsplit(remote)
            host, port = parts.hostname or "", parts.port
        except ValueError:
            return None
        if parts.scheme not in {"http", "https", "ssh", "git", "git+ssh"}:
            return None
        if port and parts.scheme in {"http", "https"}:
            host = f"{host}:{port}"
        path = parts.path
    path = path.strip("/").removesuffix(".git").rstrip("/")
    return (host.lower(), path) if host and path else None
