"""A site that means harm costs lines of a report, through the command line as a user runs it."""

import gzip
import json
import time
from contextlib import ExitStack

import pytest

from commands import Machine
from websites import Answer, website

SETTINGS = """
[retriever.main]
use = "lexical"

[model.quotes]
use = "extractive"

[profile.default]
retriever = "main"
model = "quotes"
"""
LIBRARY = """
[library.{name}]
use = "web"
urls = ["{url}"]
allow_private = ["127.0.0.1"]
requests_per_s = 1000
max_mb = 3
{own}
"""
LEAVE = "<h1 id=leave>Leave</h1><p>Every employee has 28 days of leave a year.</p>"
BOMB = gzip.compress(bytes(300 * 2**20), 9)
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE urlset [<!ENTITY a "ha">'
    + "".join(
        f'<!ENTITY a{n} "{f"&a{n - 1 or chr(0)};" * 10}">'.replace("\0", "") for n in range(1, 12)
    )
    + "]><urlset><url><loc>&a11;</loc></url></urlset>"
)
STOLEN = (
    '<!DOCTYPE urlset [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
    "<urlset><url><loc>{url}&x;</loc></url></urlset>"
)


@pytest.fixture
def site():
    with website() as own:
        own.put("/leave.html", LEAVE)
        yield own


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


@pytest.fixture
def sites():
    """Open as many sites as a test wants, by name."""
    with ExitStack() as stack:

        def opened(names):
            return {name: stack.enter_context(website()) for name in names}

        yield opened


def sync(machine, sites, own=""):
    """Sync, check that nothing but lines came of it, and return the report."""
    libraries = [LIBRARY.format(name=name, url=site.url, own=own) for name, site in sites.items()]
    (machine.work / "citewell.toml").write_text(SETTINGS + "".join(libraries))
    done = machine.citewell("sync", "--json")
    said = done.stdout + done.stderr
    assert "Traceback" not in said
    assert "root:" not in said, "a file of this machine was read"
    assert machine.attempts.read_text() == ""
    report = json.loads(done.stdout)
    lines = [*report["errors"].values(), *(one["reason"] for one in report["failed"])]
    lines += done.stderr.splitlines()
    assert all("\n" not in line and len(line) < 700 for line in lines)
    return report, done


def raw(*pieces, pause_s=0.0):
    """Send these bytes, one piece after the other, and nothing else."""

    def send(handler):
        for piece in pieces:
            handler.wfile.write(piece)
            time.sleep(pause_s)

    return send


def endless(head, piece):
    def send(handler):
        handler.wfile.write(head)
        while True:
            handler.wfile.write(piece)

    return send


OK = b"HTTP/1.1 200 OK\r\n"
HTML = OK + b"Content-Type: text/html\r\n"
PAGES = {
    "bomb": raw(HTML + b"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB), BOMB),
    "bombs": raw(HTML + b"Content-Encoding: gzip, gzip\r\nContent-Length: 0\r\n\r\n"),
    "brotli": raw(HTML + b"Content-Encoding: br\r\nContent-Length: 3\r\n\r\nabc"),
    "nogzip": raw(HTML + b"Content-Encoding: gzip\r\nContent-Length: 9\r\n\r\n<p>no</p>"),
    "slow": raw(HTML + b"Content-Length: 1000\r\n\r\n", *[b"x"] * 100, pause_s=0.2),
    "slowhead": raw(OK, *[b"X-A: b\r\n"] * 100, pause_s=0.2),
    "endless": endless(HTML + b"\r\n", b"<p>x" * 4096),
    "chunks": endless(HTML + b"Transfer-Encoding: chunked\r\n\r\n", b"4\r\nabcd\r\n"),
    "heads": endless(OK, b"X-Header: " + b"y" * 1000 + b"\r\n"),
    "longhead": endless(OK + b"X-Header: ", b"y" * 4096),
    "garbage": raw(b"\x00\xff\xfe nothing like HTTP \r\n\r\n"),
    "nothing": raw(),
    "length": raw(HTML + b"Content-Length: -5\r\n\r\n<p>a"),
    "lengths": raw(HTML + b"Content-Length: 4\r\nContent-Length: 9\r\n\r\n<p>a"),
    "huge": raw(HTML + b"Content-Length: 99999999999999999999999\r\n\r\n<p>a"),
    "status": raw(b"HTTP/1.1 999 \x1b[31mRed\r\nContent-Length: 0\r\n\r\n"),
    "switch": raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"),
    "early": endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


def test_no_page_harms_more_than_itself(site, machine):
    site.pages.update({f"/{name}.html": page for name, page in PAGES.items()})
    site.link("/", *site.pages)

    report, done = sync(machine, {"site": site}, "timeout_s = 2")
    asked = machine.citewell("ask", "How many days of leave does an employee have?")

    assert {one["id"].partition("/")[2] for one in report["failed"]} == {
        f"{name}.html" for name in PAGES
    }
    assert done.returncode == 1
    assert report["added"] == 2
    assert "28 days" in asked.stdout


CONTENTS = {
    "line.html": (b"<p>" + b"word " * 500_000, "text/html"),
    "deep.html": (b"<div>" * 500_000 + b"deep", "text/html"),
    "unclosed.html": (b"<a href='" * 200_000, "text/html"),
    "links.html": (b"".join(b"<a href=/x/%d>" % one for one in range(100_000)), "text/html"),
    "nul.html": (b"\0" * 1_000_000, "text/html"),
    "binary.html": (bytes(range(256)) * 4000, "text/html; charset=utf-8"),
    "wrong.html": ("<p>\u4f11\u6687".encode("utf-16-be"), "text/html; charset=ascii"),
    "charset.html": (b"<p>text", "text/html; charset=" + "x" * 5000),
    "broken.pdf": (b"%PDF-1.7 no", "application/pdf"),
    "zip.docx": (b"PK\x03\x04" + b"\xff" * 1000, "application/octet-stream"),
    "empty.html": (b"", "text/html"),
    "type.html": (b"<p>a", "text/html" + ";" * 10_000),
}


def test_no_content_harms_more_than_itself(site, machine):
    for name, (body, kind) in CONTENTS.items():
        site.put(f"/{name}", body, kind)
    site.link("/", *site.pages)

    report, _ = sync(machine, {"site": site}, "max_pages = 40")

    failed = {one["id"].partition("/")[2] for one in report["failed"]}
    assert failed >= {"nul.html", "binary.html", "broken.pdf", "zip.docx", "empty.html"}
    assert report["errors"] == {}
    assert report["added"] >= 3


TRAPS = {
    "folders": lambda path: f"{path}x/",
    "calendar": lambda path: f"/calendar?month={int(path.rpartition('=')[2].strip('/') or 0) + 1}",
    "names": lambda path: f"/{path.replace('/', '-')[:50]}{len(path)}/",
}


def test_pages_without_end_come_to_an_end(sites, machine):
    opened = sites(TRAPS)
    for name, site in opened.items():
        site.answer = _made_up(site, TRAPS[name])

    report, done = sync(machine, opened, "max_pages = 20")

    assert all(len(site.asked) <= 20 for site in opened.values())
    assert report["failed"] == []
    assert done.returncode == 0
    assert done.stderr.count("max_pages = 20 is reached") == 2, "one makes its addresses too long"


def _made_up(site, trap):
    def answer(request):
        if request.path in {"/robots.txt", "/sitemap.xml"}:
            return Answer(b"", 404)
        return Answer(f'<p>{request.path}<a href="{trap(request.path)}">on</a>'.encode())

    return answer


ROBOTS = {
    "binary": bytes(range(256)) * 4000,
    "long": b"User-agent: *\n" + b"Disallow: /no\n" * 100_000,
    "line": b"Disallow: /" + b"*a" * 500_000,
    "stars": b"User-agent: *\nDisallow: /" + b"*a" * 2000 + b"$\n",
    "delay": b"User-agent: *\nCrawl-delay: nan\nCrawl-delay: -1\nRequest-rate: 1/0\n",
    "sitemaps": b"".join(b"Sitemap: /no-%d.xml\n" % one for one in range(5000)),
    "html": b"<html><p>User-agent: *<p>Disallow: /",
}


def test_no_robots_file_harms(sites, machine):
    opened = sites(ROBOTS)
    for name, site in opened.items():
        site.put("/robots.txt", ROBOTS[name], "text/plain")
        site.put("/leave.html", LEAVE)
        site.link("/", "leave.html")

    report, _ = sync(machine, opened)

    assert report["added"] == 2 * len(ROBOTS)
    assert all(len(site.requests) <= 210 for site in opened.values())


def test_robots_that_never_come_are_said(site, machine):
    site.pages["/robots.txt"] = PAGES["slow"]
    site.link("/", "leave.html")

    report, done = sync(machine, {"site": site}, "timeout_s = 1")

    assert "robots.txt, which takes longer than timeout_s = 1" in report["errors"]["site"]
    assert done.returncode == 1


SITEMAPS = {
    "laughs": LAUGHS.encode(),
    "stolen": STOLEN.encode(),
    "utf-16": STOLEN.encode("utf-16"),
    "bomb": gzip.compress(bytes(60 * 2**20), 9),
    "itself": b"<sitemapindex><sitemap><loc>/sitemap.xml</loc></sitemap></sitemapindex>",
    "deep": b"<a>" * 100_000,
    "cut": b"<urlset><url><loc>http",
    "empty": b"",
    "json": b"{}",
    "attributes": b"<urlset " + b"".join(b"a%d='' " % one for one in range(100_000)) + b"/>",
    "many": b"<urlset>" + b"<url><loc>x</loc></url>" * 60_000 + b"</urlset>",
    "strange": b"<urlset><url><loc>file:///etc/passwd</loc></url><url><loc/></url><url/></urlset>",
}


def test_no_sitemap_harms(sites, machine):
    opened = sites(SITEMAPS)
    for name, site in opened.items():
        site.put("/robots.txt", f"Sitemap: {site.url}map.xml", "text/plain")
        site.put("/map.xml", SITEMAPS[name], "application/xml")
        site.put("/leave.html", LEAVE)
        site.link("/", "leave.html")

    report, done = sync(machine, opened)

    assert report["added"] == 2 * len(SITEMAPS)
    assert report["errors"] == {}
    assert done.returncode == 0


def test_a_site_that_is_read_by_such_a_sitemap_alone_says_why_not(sites, machine):
    opened = sites(["laughs", "stolen", "bomb", "json"])
    for name, site in opened.items():
        site.put("/sitemap.xml", SITEMAPS[name], "application/xml")

    report, done = sync(machine, opened, 'discover = "sitemaps"')

    for name, site in opened.items():
        assert f'has the sitemap "{site.url}sitemap.xml", which is ' in report["errors"][name]
    assert done.returncode == 1


def test_a_site_on_a_private_address_is_refused_in_one_line(site, machine):
    text = SETTINGS + LIBRARY.format(name="site", url=site.url, own="")
    text = text.replace('allow_private = ["127.0.0.1"]', "")
    (machine.work / "citewell.toml").write_text(text)

    done = machine.citewell("sync")

    assert done.returncode == 1
    assert 'name it in allow_private = ["127.0.0.1"]' in " ".join(done.stdout.split())
    assert site.requests == []


@pytest.mark.parametrize(
    ("own", "said"),
    [
        ('urls = ["http://2130706433/"]', "four decimal numbers"),
        ('urls = ["file:///etc/passwd"]', "https://docs.example.com/"),
        ('urls = ["https://me:pw@docs.example.com/"]', "use the setting headers"),
        ("urls = []", "expected at least one address"),
        ('urls = ["{url}"]\nallow_private = ["127.1"]', "expected a network"),
        ('urls = ["{url}"]\nheaders.other.Cookie = {{ env = "HOME" }}', "expected a host of urls"),
        ('urls = ["{url}"]\nuser_agent = "a\\nb"', "user_agent"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_one_line(site, machine, own, said):
    text = f'[library.site]\nuse = "web"\n{own.format(url=site.url)}\n'
    (machine.work / "citewell.toml").write_text(text)

    done = machine.citewell("config", "check")

    assert said in done.stderr + done.stdout
    assert "Traceback" not in done.stderr
    assert done.returncode != 0
    assert "pw@" not in done.stderr + done.stdout
