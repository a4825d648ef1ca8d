"""What belongs to the site: hosts and folders of the addresses in the settings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress

from citewell.globs import Globs
from citewell_web.plugin import WebConfig
from citewell_web.urls import Url, UrlRefused, key_of, parse

_SITEMAP_ENDS = (".xml", ".xml.gz")
_FILE = re.compile(r"\.[A-Za-z]\w{0,7}$")
_MOST_SEGMENTS = 24
_MOST_REPEATS = 3
_USUAL = frozenset({80, 443})


class Scope:
    """Tells what is asked for, and by which spelling of its address.

    Attributes:
        starts: the addresses of the settings.
    """

    def __init__(self, config: WebConfig) -> None:
        self.starts: Sequence[Url] = tuple(parse(url) for url in config.urls)
        self._folders = tuple((start.authority, _folder(start.path)) for start in self.starts)
        self._schemes = {start.authority: start.scheme for start in self.starts}
        self._include = Globs(config.include or ("*",))
        self._exclude = Globs(config.exclude)
        self._keeps_query = config.query == "keep"

    @property
    def ports(self) -> frozenset[int]:
        """Ports that may be asked."""
        return _USUAL | {start.port for start in self.starts}

    def spelled(self, url: Url) -> Url | None:
        """Return `url` as it is asked for, or None where it does not belong to the site."""
        asked = self.at_host(url)
        if asked is None or not self.starts_of(asked):
            return None
        return asked if self._keeps_query else asked.without_query()

    def at_host(self, url: Url) -> Url | None:
        """Return `url` as it is asked for, or None where it is at none of the hosts.

        One host is asked over one scheme, so that its pages are not read twice, and nothing meant
        for TLS goes without.
        """
        scheme = self._schemes.get(url.authority)
        if scheme is None:
            return None
        return url if url.scheme == scheme else url.over(scheme)

    def starts_of(self, url: Url) -> Sequence[Url]:
        """Return the addresses of the settings to whose folder `url` belongs."""
        return tuple(
            start
            for start, (authority, folder) in zip(self.starts, self._folders, strict=True)
            if authority == url.authority and _lies_in(url.path, folder)
        )

    def upgrade(self, url: Url) -> None:
        """Ask the host of `url` over TLS from now on."""
        self._schemes[url.authority] = "https"

    def is_excluded(self, name: str) -> bool:
        """Tell whether a page, by its key or the id of its document, is not asked for."""
        return self._exclude.matches(name)

    def is_kept(self, id_: str) -> bool:
        """Tell whether a page may become a document."""
        return self._include.matches(id_) and not self._exclude.matches(id_)

    def of_document(self, id_: str) -> Url | None:
        """Return the address of a document, or None where it does not belong to the site."""
        with suppress(UrlRefused):
            authority = id_.partition("/")[0]
            url = parse(f"{self._schemes.get(authority, 'https')}://{key_of(id_)}")
            spelled = self.spelled(url)
            # Another spelling is another document, such as one from before the query was dropped.
            return spelled if spelled is not None and spelled.key == url.key else None
        return None


def is_sitemap(url: Url) -> bool:
    """Tell whether an address in the settings is that of a sitemap."""
    return url.path.lower().endswith(_SITEMAP_ENDS)


def is_endless(url: Url) -> bool:
    """Tell whether an address looks made up: links that are relative by mistake pile up folders."""
    segments = [segment for segment in url.path.split("/") if segment]
    repeats = max(Counter(segments).values(), default=0)
    return len(segments) > _MOST_SEGMENTS or repeats > _MOST_REPEATS


def _folder(path: str) -> str:
    """Return the folder of a path: `/docs` is one, the last part of `/docs/index.html` is none."""
    above, _, last = path.rpartition("/")
    return f"{above}/" if not last or _FILE.search(last) else f"{path}/"


def _lies_in(path: str, folder: str) -> bool:
    return path.startswith(folder) or f"{path}/" == folder
