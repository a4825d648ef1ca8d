import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_web.urls import UrlRefused, document_id, key_of, parse

BASE = parse("https://docs.example.com/guide/start.html")
PIECES = st.lists(
    st.one_of(
        st.sampled_from([
            "/",
            "..",
            ".",
            "?",
            "%",
            "%2e",
            "%41",
            "%zz",
            "%c3%a9",
            "#",
            "a=b",
            "//",
        ]),
        st.text(max_size=4),
    ),
    max_size=8,
).map("".join)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("next.html", "https://docs.example.com/guide/next.html"),
        ("/a/../b/./c", "https://docs.example.com/b/c"),
        ("../../../..", "https://docs.example.com/"),
        ("?page=2", "https://docs.example.com/guide/start.html?page=2"),
        ("#part", "https://docs.example.com/guide/start.html"),
        ("//other.example/x", "https://other.example/x"),
        ("HTTPS://Docs.Example.COM:443/Guide", "https://docs.example.com/Guide"),
        ("http://docs.example.com.:80", "http://docs.example.com/"),
        ("http://docs.example.com:8080/", "http://docs.example.com:8080/"),
        (
            "https://b\u00fccher.example/\u00fcber uns",
            "https://xn--bcher-kva.example/%C3%BCber%20uns",
        ),
        ("/%7euser/%2e%2e/a%2fb", "https://docs.example.com/a%2Fb"),
        ("/100%", "https://docs.example.com/100%25"),
        (" /a\n", "https://docs.example.com/a"),
        ("http://[2606:2800:220:1:0:0:0:1946]/", "http://[2606:2800:220:1::1946]/"),
    ],
)
def test_an_address_has_one_spelling(written, meant):
    assert str(parse(written, BASE)) == meant


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("ftp://docs.example.com/", "http:// or https://"),
        ("javascript:alert(1)", "http:// or https://"),
        ("mailto:a@example.com", "http:// or https://"),
        ("https://me:secret@docs.example.com/", "user name or password"),
        ("https://docs.example.com:0/", "port 0"),
        ("https://docs.example.com:99999/", "no web address"),
        ("https://docs.example.com\\@127.0.0.1/", "backslash"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://[fe80::1%25eth0]/", "network interface"),
        ("https://[::1/", "no web address"),
        ("https://a_b-.example/", "host name"),
        ("/" + "a" * 3000, "longer"),
        ("/a\x00b", "control character"),
    ],
)
def test_what_is_no_address_is_refused(written, why):
    with pytest.raises(UrlRefused, match=why):
        parse(written, BASE)


@pytest.mark.parametrize("written", ["https://", "https:///path", "docs.example.com", "", "/"])
def test_an_address_by_itself_is_whole(written):
    with pytest.raises(UrlRefused):
        parse(written)


@given(PIECES)
def test_a_spelling_is_spelled_the_same_again(written):
    try:
        url = parse(written, BASE)
    except UrlRefused:
        return

    assert parse(str(url)) == url
    assert str(url).isascii()
    assert "#" not in str(url)


@given(PIECES, st.sampled_from([".html", ".pdf", ".md", ""]))
def test_the_name_of_a_document_tells_its_address_and_its_type(written, suffix):
    try:
        url = parse(written, BASE)
    except UrlRefused:
        return
    id_ = document_id(url, suffix)

    assert key_of(id_) == url.key
    assert id_.isprintable()


@pytest.mark.parametrize(
    ("written", "suffix", "id_"),
    [
        ("/guide/start.html", ".html", "docs.example.com/guide/start.html"),
        ("/guide/start", ".html", "docs.example.com/guide/start#.html"),
        ("/", ".html", "docs.example.com/#.html"),
        ("/view?id=7", ".pdf", "docs.example.com/view?id=7#.pdf"),
        ("/a.pdf?v=2", ".pdf", "docs.example.com/a.pdf?v=2#.pdf"),
        ("/\u00fcber", ".html", "docs.example.com/\u00fcber#.html"),
        ("/a%20b.md", ".md", "docs.example.com/a%20b.md"),
        ("/a%E2%80%AEb.md", ".md", "docs.example.com/a%E2%80%AEb.md"),
    ],
)
def test_documents_are_named_by_address(written, suffix, id_):
    assert document_id(parse(written, BASE), suffix) == id_
