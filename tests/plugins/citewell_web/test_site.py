import gzip
import re
import subprocess
import time

import pytest

from citewell import MissingExtra
from citewell_web import client
from citewell_web.pages import as_utf8
from websites import Answer, look, settings, website

READ = frozenset({".html", ".htm", ".md", ".txt", ".pdf"})


@pytest.fixture
def site():
    with website() as own:
        yield own


def paths(seen):
    """Return the documents that came, without their host."""
    return sorted(id_.partition("/")[2] for id_ in seen.versions)


async def test_pages_are_found_by_links(site, tmp_path):
    site.link("/", "a/", "b.html?x=1#part", "/c")
    site.link("/a/", "deep.html", "../")
    site.link("/b.html?x=1")
    site.link("/c")
    site.link("/a/deep.html")
    site.link("/unlinked.html")

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html", "a/#.html", "a/deep.html", "b.html?x=1#.html", "c#.html"]
    assert seen.uris[f"{site.authority}/b.html?x=1#.html"] == f"{site.url}b.html?x=1"
    assert (seen.error, seen.gone, seen.unreadable) == ("", [], {})


async def test_each_page_is_asked_for_once(site, tmp_path):
    site.link("/", "a.html", "./a.html", "A.html", "/x/../a.html", "a.html#one", "a%2Ehtml")
    site.link("/a.html", "/", "/#top", site.url)

    await look(settings(site), tmp_path)

    assert sorted(site.asked) == ["/", "/A.html", "/a.html"]


async def test_only_the_host_and_the_folder_of_the_address_are_read(site, tmp_path):
    with website() as other:
        other.link("/docs/x.html")
        site.link("/docs/", "/docs/a.html", "/docs-old/b.html", "/", f"{other.url}docs/x.html")
        site.link("/docs/a.html")
        site.link("/docs-old/b.html")

        seen = await look(settings(f"{site.url}docs"), tmp_path)

        assert other.requests == []
    site.redirect("/docs", "/docs/")
    again = await look(settings(f"{site.url}docs"), tmp_path)

    assert "answers 404 Not Found" in seen.error
    assert paths(again) == ["docs/#.html", "docs/a.html"]


async def test_a_file_begins_in_its_folder(site, tmp_path):
    site.link("/docs/index.html", "a.html", "../b.html")
    site.link("/docs/a.html")
    site.link("/b.html")

    seen = await look(settings(f"{site.url}docs/index.html"), tmp_path)

    assert paths(seen) == ["docs/a.html", "docs/index.html"]


async def test_an_unchanged_page_costs_a_304_and_its_links_are_still_followed(site, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html", "b.html")
    site.link("/b.html")
    first = await look(settings(site), tmp_path)
    site.requests.clear()
    site.link("/b.html", text="new")

    second = await look(settings(site), tmp_path, first.versions)

    assert paths(second) == ["b.html"]
    assert second.gone == []
    sent = {one.path: one.headers.get("if-none-match") for one in site.requests}
    assert all(sent[path] for path in ("/", "/a.html", "/b.html"))


async def test_what_the_index_lost_is_read_whole_again(site, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    lost = f"{site.authority}/a.html"

    kept = {id_: version for id_, version in first.versions.items() if id_ != lost}
    second = await look(settings(site), tmp_path, kept)

    assert list(second.texts) == [lost]


async def test_a_damaged_memory_costs_only_time(site, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    (memory,) = tmp_path.glob("pages-*.db")
    memory.write_bytes(b"no database" * 500)

    second = await look(settings(site), tmp_path, first.versions)

    assert (second.versions, second.gone, second.error) == ({}, [], "")


@pytest.mark.parametrize("status", [404, 410])
async def test_a_page_that_is_not_there_is_gone(site, status, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    site.fail("/a.html", status)

    second = await look(settings(site), tmp_path, first.versions)

    assert second.gone == [f"{site.authority}/a.html"]
    assert second.error == ""


@pytest.mark.parametrize("status", [500, 503, 403, 401, 429, 418])
async def test_a_page_that_cannot_be_had_stays(site, status, tmp_path):
    site.link("/", "a.html", "b.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    site.fail("/a.html", status, Retry_After="0")
    site.fail("/b.html", status, Retry_After="0")

    second = await look(settings(site), tmp_path, first.versions)

    assert set(second.unreadable) == {f"{site.authority}/a.html", f"{site.authority}/b.html"}
    assert all(str(status) in reason for reason in second.unreadable.values())
    assert second.gone == []


async def test_a_wait_that_is_no_number_is_a_short_one(site, tmp_path):
    site.link("/", "a.html", "b.html")
    site.link("/a.html")
    site.fail("/b.html", 429, Retry_After="\xb2")

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html", "a.html"]
    assert [*seen.unreadable.values()] == ["answers 429 Too Many Requests"]


async def test_a_host_that_is_busy_is_asked_for_nothing_meanwhile(site, tmp_path, monkeypatch):
    monkeypatch.setattr(client, "_wait_s", lambda _said: 0.1)
    site.link("/", *(f"{number}.html" for number in range(40)))
    for number in range(40):
        site.fail(f"/{number}.html", 429, Retry_After="1")

    seen = await look(settings(site, concurrency=1), tmp_path)

    assert "fell silent" in seen.error
    assert len(site.asked) <= 1 + 2 * 12


async def test_a_page_that_nothing_leads_to_stays_while_it_is_there(site, tmp_path):
    site.link("/", "a.html", "b.html")
    site.link("/a.html")
    site.link("/b.html")
    first = await look(settings(site), tmp_path)
    site.link("/", text="no links")
    del site.pages["/b.html"]

    second = await look(settings(site), tmp_path, first.versions)

    assert second.gone == [f"{site.authority}/b.html"]
    assert paths(second) == ["#.html"]


async def test_a_page_that_nothing_leads_to_is_followed_where_it_moved(site, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    site.link("/", text="no links")
    site.redirect("/a.html", "b.html", 308)
    site.link("/b.html", text="moved")

    second = await look(settings(site), tmp_path, first.versions)

    assert second.gone == [f"{site.authority}/a.html"]
    assert paths(second) == ["#.html", "b.html"]


@pytest.mark.parametrize(
    "own", [{"exclude": ["a.html"]}, {"include": ["/*/#.html"]}, {"query": "drop"}]
)
async def test_what_the_settings_leave_out_is_gone(site, own, tmp_path):
    site.link("/", "a.html?x=1")
    site.link("/a.html?x=1")
    first = await look(settings(site), tmp_path)
    site.fail("/a.html", 404)

    own = {"exclude": ["/*/a.html*"]} if "exclude" in own else own
    second = await look(settings(site, **own), tmp_path, first.versions)

    assert second.gone == [f"{site.authority}/a.html?x=1#.html"]


async def test_pages_that_are_not_kept_are_followed_and_excluded_ones_are_not_asked(site, tmp_path):
    site.link("/", "way.html", "no.html")
    site.link("/way.html", "report.md")
    site.link("/no.html", "hidden.md")
    site.put("/report.md", "# Report", "text/markdown")
    site.put("/hidden.md", "# Hidden", "text/markdown")

    seen = await look(settings(site, include=["*.md"], exclude=["no.html"]), tmp_path)

    assert paths(seen) == ["report.md"]
    assert "/no.html" not in site.asked


# --- redirects ---------------------------------------------------------------------------------


async def test_a_page_that_moved_is_followed_within_the_host(site, tmp_path):
    site.link("/", "old.html")
    site.redirect("/old.html", "new.html")
    site.redirect("/new.html", "/newest.html", 302)
    site.link("/newest.html")

    seen = await look(settings(site), tmp_path, {f"{site.authority}/old.html": "1"})

    assert paths(seen) == ["#.html", "newest.html"]
    assert seen.gone == [f"{site.authority}/old.html"]


async def test_a_page_that_asks_for_a_login_stays(site, tmp_path):
    site.link("/", "a.html")
    site.link("/a.html")
    first = await look(settings(site), tmp_path)
    site.redirect("/a.html", "https://login.example.com/?next=a", 302)

    second = await look(settings(site), tmp_path, first.versions)

    assert second.gone == []
    assert second.unreadable == {
        f"{site.authority}/a.html": "is redirected for now to https://login.example.com/"
    }


async def test_redirects_without_end_are_left(site, tmp_path):
    site.link("/", "a.html", "self.html", "nowhere.html")
    site.redirect("/a.html", "b.html")
    site.redirect("/b.html", "a.html")
    site.redirect("/self.html", "self.html")
    site.fail("/nowhere.html", 302)

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html"]
    assert seen.unreadable == {
        f"{site.authority}/self.html": "is redirected to itself",
        f"{site.authority}/nowhere.html": "is redirected to itself",
    }


async def test_a_first_address_that_leads_elsewhere_is_named(site, tmp_path):
    site.redirect("/", "https://www.example.com/docs/")

    seen = await look(settings(site), tmp_path, {f"{site.authority}/a.html": "1"})

    assert seen.error == (
        f'library.web: "{site.url}" leads to "https://www.example.com/docs/"; '
        "name that address in urls instead"
    )
    assert seen.gone == []


# --- what a host wants -------------------------------------------------------------------------


async def test_robots_are_obeyed_unless_switched_off(site, tmp_path):
    rules = "User-agent: citewell\nDisallow: /private\nUser-agent: *\nDisallow: /"
    site.put("/robots.txt", rules, "text/plain")
    site.link("/", "private/a.html", "b.html")
    site.link("/private/a.html")
    site.link("/b.html")
    known = {f"{site.authority}/private/a.html": "1"}

    obeying = await look(settings(site), tmp_path, known)
    asked = list(site.asked)
    own = await look(settings(site, robots=False), tmp_path)

    assert paths(obeying) == ["#.html", "b.html"]
    assert obeying.gone == list(known)
    assert "/private/a.html" not in asked
    assert paths(own) == ["#.html", "b.html", "private/a.html"]


async def test_a_site_that_forbids_its_first_page_is_left_alone_and_nothing_is_gone(site, tmp_path):
    site.put("/robots.txt", "User-agent: *\nDisallow: /", "text/plain")
    site.link("/", "a.html")

    seen = await look(settings(site), tmp_path, {f"{site.authority}/a.html": "1"})

    assert "is not to be read, by the robots.txt of its host" in seen.error
    assert (seen.gone, site.asked) == ([], [])


@pytest.mark.parametrize("status", [500, 503])
async def test_a_host_whose_robots_cannot_be_had_is_not_read(site, status, tmp_path):
    site.fail("/robots.txt", status, Retry_After="0")
    site.link("/")

    seen = await look(settings(site), tmp_path, {f"{site.authority}/a.html": "1"})

    assert f"robots.txt, which answers {status}" in seen.error
    assert (seen.gone, site.asked) == ([], [])


@pytest.mark.parametrize("status", [401, 403, 404])
async def test_a_host_without_robots_allows_everything(site, status, tmp_path):
    site.fail("/robots.txt", status)
    site.link("/")

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html"]


async def test_a_robots_file_at_another_host_is_not_known_to_allow_anything(site, tmp_path):
    site.redirect("/robots.txt", "https://login.example/robots.txt", 302)
    site.link("/")
    known = {f"{site.authority}/a.html": "1"}

    seen = await look(settings(site), tmp_path, known)
    own = await look(settings(site, robots=False), tmp_path)

    assert "robots.txt, which leads to another host" in seen.error
    assert "set robots = false" in seen.error
    assert seen.gone == []
    assert paths(own) == ["#.html"]


async def test_requests_keep_the_pace_that_the_host_wants(site, tmp_path):
    site.put("/robots.txt", "User-agent: *\nCrawl-delay: 0.2", "text/plain")
    site.link("/", "a.html", "b.html")
    times = []
    for path in ("/a.html", "/b.html"):
        site.link(path)
    original = site.answer

    def timed(request):
        import time

        times.append(time.monotonic())
        return original(request)

    site.answer = timed
    await look(settings(site, discover="links"), tmp_path)

    pages = times[1:]
    assert len(pages) == 3
    assert pages[-1] - pages[0] >= 0.38


async def test_pages_may_ask_not_to_be_kept_or_followed(site, tmp_path):
    site.link("/", "noindex.html", "nofollow.html", "header.html", "named.html", "rel.html")
    site.put("/noindex.html", '<meta name="ROBOTS" content="NoIndex"><a href="1.html">a</a>')
    site.put("/nofollow.html", '<meta name="citewell" content="nofollow"><a href="2.html">a</a>')
    site.put("/header.html", "<p>a", X_Robots_Tag="noindex")
    site.put("/named.html", "<p>b", X_Robots_Tag="otherbot: noindex, nofollow")
    site.put("/rel.html", '<a rel="external nofollow" href="3.html">a</a>')
    for page in ("1", "2", "3"):
        site.link(f"/{page}.html")

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html", "1.html", "named.html", "nofollow.html", "rel.html"]


async def test_who_asks_is_named(site, tmp_path):
    site.link("/")

    await look(settings(site), tmp_path)
    await look(settings(site, user_agent="Reader (docs@example.com)"), tmp_path)

    agents = list(dict.fromkeys(one.headers["user-agent"] for one in site.requests))
    assert re.fullmatch(r"Citewell/\d+\.\d+\.\d+", agents[0])
    assert agents[1:] == ["Reader (docs@example.com)"]


# --- copies ------------------------------------------------------------------------------------


async def test_a_copy_is_left_for_its_original(site, tmp_path):
    site.link("/", "copy.html", "orphan.html", "original.html")
    site.put("/copy.html", '<link rel="canonical" href="/original.html"><p>one')
    site.put("/original.html", '<link rel="canonical" href="/original.html"><p>one, longer')
    site.put("/orphan.html", '<link rel="canonical" href="/missing.html"><p>two')

    seen = await look(settings(site), tmp_path, {f"{site.authority}/copy.html": "1"})

    assert paths(seen) == ["#.html", "original.html", "orphan.html"]
    assert seen.gone == [f"{site.authority}/copy.html"]


async def test_pages_that_call_each_other_the_original_are_not_both_lost(site, tmp_path):
    site.link("/", "a.html", "b.html")
    site.put("/a.html", '<link rel="canonical" href="b.html"><p>a')
    site.put("/b.html", '<link rel="canonical" href="a.html"><p>b')

    first = await look(settings(site), tmp_path)
    second = await look(settings(site), tmp_path, first.versions)

    assert paths(first) == ["#.html", "a.html"]
    assert (second.versions, second.gone) == ({}, [])


async def test_the_same_page_under_two_names_of_its_folder_is_one_document(site, tmp_path):
    for path in ("/", "/index.html"):
        site.put(path, '<p>Welcome<a href="index.html">home</a><a href="sub/copy.html">c</a>')
    site.put("/sub/copy.html", site.pages["/"].body)

    first = await look(settings(site), tmp_path)
    second = await look(settings(site), tmp_path, first.versions)

    assert paths(first) == ["#.html", "sub/copy.html"]
    assert (second.versions, second.gone) == ({}, [])


@pytest.mark.parametrize("head", ["", '<link rel="canonical" href="/">'])
async def test_a_page_of_maintenance_makes_no_page_a_copy_of_another(site, head, tmp_path):
    site.link("/", "a.html")
    pages = ("/a.html", "/lone.html", "/sub/b.html")
    for path in pages:
        site.put(path, f"<p>text of {path}")
    known = {f"{site.authority}{path}": "1" for path in pages[1:]}
    first = await look(settings(site), tmp_path, known)
    known |= first.versions
    for path in ("/", *pages):
        site.put(path, f"{head}<p>We will be back soon.")

    during = await look(settings(site), tmp_path, known)
    site.link("/", "a.html")
    for path in pages:
        site.put(path, f"<p>text of {path}")
    after = await look(settings(site), tmp_path, known)

    assert (during.versions, during.gone) == ({}, [])
    assert sorted(during.unreadable) == sorted(known)
    assert "says the same as 3 more" in during.unreadable[f"{site.authority}/a.html"]
    assert (after.versions, after.gone, after.unreadable) == ({}, [], {})


async def test_a_page_that_changed_with_its_other_name_stays_one_document(site, tmp_path):
    for path in ("/", "/index.html"):
        site.put(path, '<p>Welcome<a href="index.html">home</a>')
    first = await look(settings(site), tmp_path)
    for path in ("/", "/index.html"):
        site.put(path, '<p>Come in<a href="index.html">home</a>')

    second = await look(settings(site), tmp_path, first.versions)

    assert paths(second) == ["#.html"]
    assert (second.gone, second.unreadable) == ([], {})


# --- sitemaps ----------------------------------------------------------------------------------


def sitemap(site, *found, kind="url"):
    outer = {"url": "urlset", "sitemap": "sitemapindex"}[kind]
    entries = "".join(f"<{kind}><loc>{site.url}{path}</loc></{kind}>" for path in found)
    return f'<{outer} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{entries}</{outer}>'


async def test_pages_are_found_by_sitemaps_that_robots_name(site, tmp_path):
    robots = f"Sitemap: {site.url}index.xml\nSitemap: https://cdn.example.com/map.xml"
    site.put("/robots.txt", robots, "text/plain")
    site.put("/index.xml", sitemap(site, "one.xml", "two.xml.gz", kind="sitemap"))
    site.put("/one.xml", sitemap(site, "a.html"))
    site.put("/two.xml.gz", gzip.compress(sitemap(site, "b.html").encode()), "application/gzip")
    site.link("/")
    site.link("/a.html", "linked.html")
    site.link("/b.html")
    site.link("/linked.html")

    both = await look(settings(site), tmp_path)
    alone = await look(settings(site, discover="sitemaps"), tmp_path)
    without = await look(settings(site, discover="links"), tmp_path)

    assert paths(both) == ["#.html", "a.html", "b.html", "linked.html"]
    assert paths(alone) == ["#.html", "a.html", "b.html"]
    assert paths(without) == ["#.html"]


async def test_the_usual_sitemap_is_read_where_none_is_named(site, tmp_path):
    site.put("/sitemap.xml", sitemap(site, "a.html"))
    site.link("/")
    site.link("/a.html")

    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html", "a.html"]


async def test_a_sitemap_may_be_the_address_itself(site, tmp_path):
    site.put("/map.xml", sitemap(site, "a.html"))
    site.link("/", "b.html")
    site.link("/a.html")

    seen = await look(settings(f"{site.url}map.xml", discover="sitemaps"), tmp_path)

    assert paths(seen) == ["a.html"]


@pytest.mark.parametrize(
    ("body", "why"), [(None, "answers 404 Not Found"), ("<html></html>", "is no sitemap")]
)
async def test_a_site_that_is_to_be_read_by_a_sitemap_it_lacks_loses_nothing(
    site, body, why, tmp_path
):
    if body:
        site.put("/sitemap.xml", body)
    site.link("/")

    seen = await look(
        settings(site, discover="sitemaps"), tmp_path, {f"{site.authority}/a.html": "1"}
    )

    assert f'has the sitemap "{site.url}sitemap.xml", which {why}' in seen.error
    assert seen.gone == []


# --- content -----------------------------------------------------------------------------------


async def test_the_type_of_the_content_chooses_the_loader(site, tmp_path):
    site.put("/report", b"%PDF-1.7", "application/pdf")
    site.put("/notes.md", "# Notes", "text/plain; charset=utf-8")
    site.put("/page.php", "<p>a", "text/html")
    site.put("/LICENSE", "free", "text/plain")
    site.put("/data", "raw", "application/octet-stream")
    site.link("/", *site.pages)

    seen = await look(settings(site), tmp_path, suffixes=READ)

    assert paths(seen) == [
        *("#.html", "LICENSE#.txt", "data", "notes.md", "page.php#.html", "report#.pdf")
    ]


async def test_content_that_no_loader_reads_is_not_sent(site, tmp_path):
    sent = []

    def endless(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "application/x-movie")
        handler.end_headers()
        while len(sent) < 1000:
            handler.wfile.write(bytes(2**16))
            sent.append(2**16)

    site.pages["/movie"] = endless
    site.link("/", "movie", "photo.png", "archive.zip", "style.css")

    seen = await look(settings(site), tmp_path, suffixes=READ)

    assert list(seen.texts) == [f"{site.authority}/#.html"]
    assert len(sent) < 1000
    assert sorted(site.asked) == ["/", "/movie"], "pictures and archives are not even asked for"


async def test_a_page_is_stored_in_utf8_where_its_server_names_its_encoding(site, tmp_path):
    site.put("/", "<p>caf\xe9".encode("cp1252"), "text/html; charset=windows-1252")

    seen = await look(settings(site), tmp_path)

    assert seen.texts == {f"{site.authority}/#.html": "<p>caf\xe9"}


@pytest.mark.parametrize(
    "charset", ["utf-8", "base64", "no-such", "utf-16", "punycode", "idna", "unicode_escape"]
)
async def test_a_wrong_encoding_changes_nothing(site, charset, tmp_path):
    body = "<p>caf\xe9 au lait".encode("cp1252")
    site.put("/", body, f"text/html; charset={charset}")

    seen = await look(settings(site), tmp_path)

    assert seen.texts == {f"{site.authority}/#.html": body.decode("utf-8", "replace")}


def test_an_encoding_of_no_page_takes_no_time():
    page = b"-" + b"a" * 400_000
    began = time.perf_counter()

    assert as_utf8(page, "punycode") == page
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("packed", [gzip.compress, "deflate", "raw"])
async def test_packed_content_is_unpacked(site, packed, tmp_path):
    import zlib

    body = b"<p>packed" * 1000
    if callable(packed):
        site.put("/", packed(body), Content_Encoding="gzip")
    else:
        packer = zlib.compressobj(wbits=15 if packed == "deflate" else -15)
        site.put("/", packer.compress(body) + packer.flush(), Content_Encoding="deflate")

    seen = await look(settings(site), tmp_path)

    assert seen.texts == {f"{site.authority}/#.html": body.decode()}


# --- bounds ------------------------------------------------------------------------------------


async def test_a_bound_that_is_reached_loses_nothing_and_is_said(site, tmp_path, caplog):
    pages = [f"{number}.html" for number in range(10)]
    site.link("/", *pages)
    for page in pages:
        site.link(f"/{page}")
    first = await look(settings(site), tmp_path)
    del site.pages["/9.html"]

    second = await look(settings(site, max_pages=4), tmp_path, first.versions)
    third = await look(settings(site, max_pages=4), tmp_path)

    assert len(first.versions) == 11
    assert (second.gone, second.error) == ([f"{site.authority}/9.html"], "")
    assert len(third.versions) == 4
    assert "max_pages = 4 is reached: of 7 more addresses" in caplog.text


async def test_pages_too_far_away_are_not_asked_for(site, tmp_path, caplog):
    for number in range(9):
        site.link(f"/{number}.html", f"{number + 1}.html")

    seen = await look(settings(f"{site.url}0.html", max_depth=2), tmp_path)

    assert paths(seen) == ["0.html", "1.html", "2.html"]
    assert "max_depth = 2 is reached: of 1 addresses" in caplog.text


async def test_what_is_too_much_for_one_look_is_read_at_the_next(site, tmp_path):
    pages = [f"{number}.html" for number in range(4)]
    site.link("/", *pages)
    for page in pages:
        site.put(f"/{page}", page + "x" * 600_000)
    own = settings(site, max_total_mb=1, concurrency=1)

    first = await look(own, tmp_path)
    second = await look(own, tmp_path, first.versions)

    assert first.error == second.error == ""
    assert set(first.unreadable.values()) == {"is left out: max_total_mb = 1 is reached"}
    assert sorted([*first.versions, *second.versions])[1:] == [
        f"{site.authority}/{page}" for page in pages
    ]


async def test_a_host_that_falls_silent_is_asked_no_more(site, tmp_path):
    pages = [f"{number}.html" for number in range(60)]
    site.link("/", *pages)
    for page in pages:
        site.fail(f"/{page}", 502)
    known = {f"{site.authority}/{page}": "1" for page in pages}

    seen = await look(settings(site, concurrency=1), tmp_path, known)

    assert "fell silent after" in seen.error
    assert seen.gone == []
    assert len(site.asked) < 20


async def test_two_sites_are_read_and_one_that_fails_costs_only_itself(site, tmp_path):
    with website() as other:
        other.down = 500
        site.link("/", "a.html")
        site.link("/a.html")
        known = {f"{site.authority}/old.html": "1", f"{other.authority}/x.html": "1"}

        seen = await look(settings(site, other), tmp_path, known)

    assert paths(seen) == ["#.html", "a.html"]
    assert seen.gone == [f"{site.authority}/old.html"]
    assert other.url in seen.error


async def test_nobody_answers(tmp_path):
    with website() as gone:
        url = gone.url

    seen = await look(settings(url), tmp_path, {"a": "1"})

    assert seen.error == f'library.web: "{url}" does not answer: connection refused'


async def test_a_source_that_stays_open_leaves_the_site_alone_for_a_while(site, tmp_path):
    from citewell.testing.opening import opened

    site.link("/")
    async with opened("source", "web", settings(site), tmp_path) as source:
        first = [change async for change in source.changes({})]
        asked = len(site.requests)
        second = [change async for change in source.changes({})]
    async with opened("source", "web", settings(site, pause_minutes=0), tmp_path) as source:
        third = [change async for change in source.changes({})]
        fourth = [change async for change in source.changes({})]

    assert (len(first), len(second), len(third), len(fourth)) == (1, 0, 1, 1)
    assert asked == 3


# --- TLS ---------------------------------------------------------------------------------------


@pytest.fixture
def certificate(tmp_path):
    path = tmp_path / "site.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=site", "-addext"]
    command += ["subjectAltName=IP:127.0.0.1", "-keyout", str(path), "-out", f"{path}.crt"]
    subprocess.run(command, check=True, capture_output=True)
    path.write_text(path.read_text() + (tmp_path / "site.pem.crt").read_text())
    return path


async def test_a_site_is_read_over_tls_that_proves_its_name(certificate, tmp_path):
    with website(certificate=certificate) as site:
        site.link("/", "a.html")
        site.link("/a.html")

        own = await look(settings(site, ca_file=f"{certificate}.crt"), tmp_path)
        strange = await look(settings(site), tmp_path)
        named = site.url.replace("127.0.0.1", "localhost")
        misnamed = await look(
            settings(named, ca_file=f"{certificate}.crt", allow_private=["localhost"]), tmp_path
        )

    assert paths(own) == ["#.html", "a.html"]
    assert "certificate" in strange.error
    assert "certificate" in misnamed.error


async def test_a_file_without_certificates_is_named(site, tmp_path):
    (tmp_path / "ca.pem").write_text("none")

    with pytest.raises(Exception, match="expected certificates in PEM"):
        await look(settings(site, ca_file="ca.pem"), tmp_path)


async def test_an_answer_that_breaks_off_is_one_page_less(site, tmp_path):
    site.link("/", "half.html")

    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", "text/html")
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"<p>half")

    site.pages["/half.html"] = half
    seen = await look(settings(site), tmp_path)

    assert paths(seen) == ["#.html"]
    assert "answers wrongly" in seen.unreadable[f"{site.authority}/half.html"]


async def test_a_version_is_that_of_the_content_and_of_nothing_else(site, tmp_path):
    site.pages["/"] = Answer(b"<p>same", headers={"Content-Type": "text/html", "X-Served-By": "a"})
    first = await look(settings(site), tmp_path)
    site.etags = False
    site.pages["/"] = Answer(b"<p>same", headers={"Content-Type": "text/html", "X-Served-By": "b"})

    second = await look(settings(site), tmp_path, first.versions)

    assert second.versions == {}


async def test_without_its_extra_the_install_command_is_named(site, monkeypatch, tmp_path):
    monkeypatch.setattr("citewell_web.plugin.find_spec", lambda _name: None)

    with pytest.raises(MissingExtra, match=r'pip install "citewell\[web\]"'):
        await look(settings(site), tmp_path)
