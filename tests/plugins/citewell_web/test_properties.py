"""Whatever a host sends: it is read, or refused in words of ours."""

import contextlib
import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_web import pages, sitemaps
from citewell_web.formats import is_certainly_unread, suffix_of
from citewell_web.inflating import Content, Damaged, TooLarge
from citewell_web.memory import Memory, Remembered
from citewell_web.robots import Rules
from citewell_web.scope import is_endless
from citewell_web.urls import UrlRefused, parse

URL = parse("https://docs.example.com/guide/")
MARKUP = st.lists(
    st.sampled_from([
        *("<a href=", "<base href=", "<meta name=robots content=", "<link rel=canonical href="),
        *(
            "<!--",
            "-->",
            "<!DOCTYPE",
            "<![CDATA[",
            "<urlset>",
            "<url>",
            "<loc>",
            "</loc>",
            "</url>",
        ),
        *(
            "http://[",
            "//x",
            "'",
            '"',
            ">",
            "<",
            "&#x0;",
            "&",
            "\0",
            "\U0001f600",
            "noindex,",
            " ",
        ),
    ]),
    max_size=40,
).map("".join)


@given(st.one_of(MARKUP.map(str.encode), st.binary(max_size=400)))
def test_any_page_is_read(data):
    page = pages.read(data, URL)

    assert all(str(link).startswith(("http://", "https://")) for link in page.links)


@given(
    st.one_of(
        MARKUP.map(str.encode),
        st.binary(max_size=400),
        MARKUP.map(lambda text: gzip.compress(text.encode())),
    )
)
def test_any_sitemap_is_read_or_refused(data):
    with contextlib.suppress(sitemaps.NoSitemap):
        found = sitemaps.read(data)
        assert all(isinstance(address, str) for address in (*found.pages, *found.sitemaps))


@given(st.one_of(st.text(max_size=400), MARKUP), st.text(max_size=40))
def test_any_robots_file_is_read(text, path):
    rules = Rules(f"User-agent: *\n{text}", user_agent="Citewell/1.0")

    with contextlib.suppress(UrlRefused):
        assert rules.allows(parse(path, URL)) in {True, False}
    assert rules.interval_s >= 0


@given(st.text(max_size=200))
def test_any_header_is_read(header):
    assert "" not in pages.header_rules(header)
    assert isinstance(suffix_of(URL, header, None), str)


@given(
    st.binary(max_size=3000),
    st.sampled_from(["gzip", "deflate", "raw", "identity"]),
    st.integers(1, 500),
    st.integers(1, 4000),
)
def test_content_is_unpacked_in_any_pieces_and_never_beyond_its_bound(data, kind, piece, most):
    packed = {
        "gzip": lambda: gzip.compress(data[:1500]) + gzip.compress(data[1500:]),
        "deflate": lambda: zlib.compress(data),
        "raw": lambda: zlib.compress(data, wbits=-15),
        "identity": lambda: data,
    }[kind]()
    content = Content("deflate" if kind == "raw" else kind, most=most)
    is_more = False
    try:
        for start in range(0, len(packed), piece):
            content.feed(packed[start : start + piece])
    except TooLarge:
        is_more = True

    assert bytes(content.data) == data[:most]
    assert is_more == (len(data) > most)


@given(st.binary(max_size=400), st.sampled_from(["gzip", "deflate"]))
def test_damaged_content_is_refused(data, kind):
    content = Content(kind, most=1000)

    with contextlib.suppress(Damaged, TooLarge):
        content.feed(data)
    assert len(content.data) <= 1000


def test_content_in_too_many_pieces_is_refused():
    content = Content("gzip", most=1000)

    with pytest.raises(Damaged, match="too many pieces"):
        content.feed(gzip.compress(b"") * 2000)


@pytest.mark.parametrize(
    ("header", "rules"),
    [
        ("noindex, nofollow", {"noindex", "nofollow"}),
        ("otherbot: noindex, nofollow", set()),
        ("citewell: noindex", {"noindex"}),
        ("otherbot: nofollow, citewell: none", {"none"}),
        ("", set()),
    ],
)
def test_rules_in_a_header_may_be_for_others(header, rules):
    assert pages.header_rules(header) == rules


@pytest.mark.parametrize(
    ("path", "is_left"),
    [
        *(("/a.png", True), ("/a.zip", True), ("/a.tar.gz", True), ("/a.css", True)),
        *(("/a.html", False), ("/a.php", False), ("/a.pdf", False), ("/a", False)),
        *(("/v1.2", False), ("/a.xyz", False)),
    ],
)
def test_what_is_certainly_no_text_is_not_asked_for(path, is_left):
    assert is_certainly_unread(parse(path, URL), frozenset({".html"})) is is_left


@pytest.mark.parametrize(
    ("path", "is_left"), [("/a/b/c/d", False), ("/a/a/a/a/", True), ("/x" * 25, True)]
)
def test_addresses_that_look_made_up_are_not_asked_for(path, is_left):
    assert is_endless(parse(path, URL)) is is_left


def test_what_is_remembered_outlives_the_process(tmp_path):
    page = Remembered(key="k", id="i", version="v", etag='"e"', links=("http://a/", "http://b/"))
    memory = Memory(tmp_path / "pages.db")
    memory.keep(page)
    memory.close()

    again = Memory(tmp_path / "pages.db")
    found, other = again.of("k"), again.of("other")
    again.forget(["k"])
    gone = again.of("k")
    again.close()

    assert (found, other, gone) == (page, None, None)
