"""A web server on this machine: pages as a test puts them there, and a note of each request."""

from __future__ import annotations

import hashlib
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from msgspec.structs import replace

from citewell import Gone, Source, SourceError, Unreadable
from citewell.testing.opening import context_for
from citewell_web.plugin import register_sources

OWN = "127.0.0.1"


@dataclass(frozen=True)
class Answer:
    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    path: str
    headers: Mapping[str, str]


Raw = Callable[[BaseHTTPRequestHandler], None]
"""Writes to a connection whatever it likes."""


class Website:
    """Pages by path, with the query.

    Attributes:
        url: of the first page.
        pages: what is there; everything else is answered with 404.
        requests: in the order of their coming.
        down: the status of every answer, where it is not 0.
        etags: whether answers carry one, and a known page is answered with 304.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.pages: dict[str, Answer | Raw] = {}
        self.requests: list[Request] = []
        self.down = 0
        self.etags = True

    @property
    def authority(self) -> str:
        return self.url.split("/")[2]

    @property
    def asked(self) -> list[str]:
        """Return the paths that were asked for, without robots.txt and the usual sitemap."""
        usual = {"/robots.txt", "/sitemap.xml"}
        return [one.path for one in self.requests if one.path not in usual]

    def put(self, path: str, body: str | bytes, kind: str = "text/html", **headers: str) -> None:
        """Put a page there."""
        data = body.encode() if isinstance(body, str) else body
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Answer(data, headers={"Content-Type": kind, **named})

    def link(self, path: str, *targets: str, text: str = "") -> None:
        """Put a page there that leads to others."""
        links = " ".join(f'<a href="{target}">further</a>' for target in targets)
        self.put(path, f"<html><title>{path}</title><body><p>{text or path}</p>{links}</body>")

    def fail(self, path: str, status: int, **headers: str) -> None:
        """Let a page be answered with an error, or a redirect."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.pages[path] = Answer(b"<p>no", status, named)

    def redirect(self, path: str, target: str, status: int = 301) -> None:
        """Let a page lead elsewhere."""
        self.fail(path, status, Location=target)

    def answer(self, request: Request) -> Answer | Raw:
        """Return what a request is answered with."""
        if self.down:
            return Answer(b"down", self.down)
        found = self.pages.get(request.path, Answer(b"nothing here", 404))
        if not isinstance(found, Answer) or found.status != 200 or not self.etags:
            return found
        etag = f'"{hashlib.sha256(found.body).hexdigest()[:16]}"'
        if request.headers.get("if-none-match") == etag:
            return Answer(b"", 304, {"ETag": etag})
        return Answer(found.body, 200, {"ETag": etag, **found.headers})


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    website: Website

    def do_GET(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.path, headers)
        self.website.requests.append(request)
        answer = self.website.answer(request)
        if not isinstance(answer, Answer):
            self.close_connection = True
            answer(self)
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if answer.status != 304:
            self.wfile.write(answer.body)

    def handle(self) -> None:
        try:
            super().handle()
        except (ConnectionError, ssl.SSLError):
            # The other end had enough.
            self.close_connection = True

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_arguments: object) -> None:
        """Say nothing: the other end had enough."""


@contextmanager
def website(*, host: str = OWN, certificate: Path | None = None) -> Iterator[Website]:
    """Yield a site on a free port of this machine; over TLS where a certificate is given."""
    website = Website("")
    handler = type("Handler", (_Handler,), {"website": website})
    with _Server((OWN, 0), handler) as server:
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            server.socket = context.wrap_socket(
                server.socket, server_side=True, do_handshake_on_connect=False
            )
        scheme = "http" if certificate is None else "https"
        website.url = f"{scheme}://{host}:{server.server_address[1]}/"
        serving = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        serving.start()
        try:
            yield website
        finally:
            server.shutdown()
            serving.join()


def settings(*sites: Website | str, **own: object) -> dict[str, object]:
    """Return settings of the source `web` for sites on this machine."""
    urls = [site if isinstance(site, str) else site.url for site in sites]
    return {"urls": urls, "allow_private": [OWN], "requests_per_s": 10_000, **own}


@dataclass
class Seen:
    """What a look at sites brought.

    Attributes:
        texts: of changed documents, by id.
        versions: of changed documents, by id.
        uris: of changed documents, by id.
        unreadable: reasons, by id.
        error: why something could not be listed.
    """

    texts: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    uris: dict[str, str] = field(default_factory=dict)
    gone: list[str] = field(default_factory=list)
    unreadable: dict[str, str] = field(default_factory=dict)
    error: str = ""


async def look(
    config: Mapping[str, object],
    folder: Path,
    known: Mapping[str, str] | None = None,
    *,
    suffixes: frozenset[str] | None = None,
) -> Seen:
    """Return what a source with these settings says; `folder` is what it remembers things in."""
    (spec,) = register_sources()
    context = replace(context_for("source", "web", folder), suffixes=suffixes)
    async with spec.build(spec.config.model_validate(dict(config)), context) as source:
        return await _seen(source, known or {})


async def _seen(source: Source, known: Mapping[str, str]) -> Seen:
    seen = Seen()
    try:
        async for change in source.changes(known):
            if isinstance(change, Gone):
                seen.gone.append(change.id)
            elif isinstance(change, Unreadable):
                seen.unreadable[change.id] = change.reason
            else:
                raw = change.raw
                assert raw.id not in seen.versions, f"{raw.id} came twice"
                seen.versions[raw.id] = change.version
                seen.uris[raw.id] = raw.uri or ""
                if raw.path.exists():
                    seen.texts[raw.id] = raw.path.read_text(encoding="utf-8", errors="replace")
    except SourceError as error:
        seen.error = str(error)
    return seen
