"""Whatever settings, pages, redirects, sitemaps and robots.txt say: no other place is reached.

Each connection that this process tries is counted where Python hands it to the system.
"""

import socket

import pytest
from pydantic import ValidationError

from citewell_web.addresses import Reach
from citewell_web.network import CheckedNetwork, Refused
from loopback import watching
from websites import OWN, look, settings, website

# Hosts as they stand in an address; `canary` is the port of a server on this machine that would
# answer, were it asked.
FORMS = (
    # decimal, octal, hexadecimal and short forms of addresses of this machine
    *("127.0.0.1", "127.0.0.1.", "127.1", "127.0.1", "0127.0.0.1", "127.127.127.127"),
    *("2130706433", "017700000001", "0x7f000001", "0x7F.0x0.0x0.0x1", "0177.0.0.1", "0x7f.1"),
    *("0x7f.0.0x1", "00000177.0.0.01", "0", "0x0", "00", "0.0.0.0"),
    # networks of a house, of a provider, of a cloud
    *("10.0.0.1", "10.1", "0x0a.1", "012.0.0.1", "172.16.0.1", "172.31.255.254", "192.168.0.1"),
    *("3232235521", "0xc0a80001", "100.64.0.1", "100.100.100.200", "169.254.169.254"),
    *("2852039166", "0xA9FEA9FE", "0251.0376.0251.0376", "169.254.43518", "168.63.129.16"),
    "192.0.0.192",
    # for tests, documents, many at once, nobody yet
    *("198.18.0.1", "192.0.2.1", "198.51.100.1", "203.0.113.1", "192.88.99.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "4294967295"),
    # IPv6, and IPv4 inside it
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::FFFF:169.254.169.254]", "[::ffff:a9fe:a9fe]", "[0:0:0:0:0:ffff:10.0.0.1]"),
    *("[::ffff:0:127.0.0.1]", "[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]"),
    *("[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::10.0.0.1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::1]"),
    *("[2002:c0a8:1::1]", "[2001:0:4136:e378:8000:63bf:80ff:fffe]", "[2001:470:1:2::5efe:7f00:1]"),
    *("[fe80::1]", "[fe80::1%25lo]", "[fe80::1%lo]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]"),
    *("[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]", "[2001:20::1]"),
    # names of this machine, and letters that only look otherwise
    *("localhost", "LOCALHOST", "localhost.", "\uff11\uff12\uff17.\uff10.\uff10.\uff11"),
    *("\u2460\u2461\u2466.\u24ea.\u24ea.\u2460", "127\u30020\u30020\u30021"),
    *("\u24db\u24de\u24d2\u24d0\u24db\u24d7\u24de\u24e2\u24e3", "%31%32%37.0.0.1", "127.0.0.1%00"),
)
# Whole addresses that one reader takes for one host, another for another.
ADDRESSES = (
    *(
        "http://docs.example.com@127.0.0.1:{canary}/",
        "http://docs.example.com\\@127.0.0.1:{canary}/",
    ),
    *(
        "http://127.0.0.1:{canary}\\@docs.example.com/",
        "http://127.0.0.1:{canary}#@docs.example.com/",
    ),
    *("//127.0.0.1:{canary}/", "\\\\127.0.0.1:{canary}\\", "http:/\\127.0.0.1:{canary}/"),
    *("http:////127.0.0.1:{canary}/", "https:127.0.0.1:{canary}", "http://127.0.0.1:\t{canary}/"),
    *("file:///etc/passwd", "ftp://127.0.0.1:{canary}/", "gopher://127.0.0.1:{canary}/_x"),
    *("dict://127.0.0.1:{canary}/", "data:text/html,secret", "unix:///var/run/docker.sock"),
    *("ws://127.0.0.1:{canary}/", "view-source:http://127.0.0.1:{canary}/"),
)


@pytest.fixture
def canary():
    with website() as other:
        other.put("/", "secret")
        yield other
    assert other.requests == [], "nobody asked for it"


@pytest.fixture
def site():
    with website() as own:
        own.link("/", "page.html")
        own.link("/page.html")
        yield own


def port_of(server):
    return int(server.authority.rpartition(":")[2])


def test_there_are_enough_forms():
    assert len(set(FORMS)) >= 80


@pytest.mark.parametrize("host", FORMS)
async def test_no_connection_is_made_to_a_host_that_is_not_public(host, canary):
    network = CheckedNetwork(Reach(), ports=[port_of(canary)])

    with watching() as tries, pytest.raises(Exception) as refused:  # noqa: PT011 - told below
        await network.connect_tcp(host.strip("[]"), port_of(canary))

    assert tries.connections == []
    # The system resolves a spelling to the address that is refused then, or to none.
    assert isinstance(refused.value, Refused) or "cannot be resolved" in str(refused.value)


@pytest.mark.parametrize("host", FORMS)
async def test_an_address_in_the_settings_is_no_way_to_it(host, canary, tmp_path):
    url = f"http://{host}:{port_of(canary)}/"

    with watching() as tries:
        try:
            told = (await look({"urls": [url]}, tmp_path)).error
        except ValidationError as error:
            told = str(error)

    assert tries.connections == []
    assert "not public" in told or "Value error" in told


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_is_a_way_to_any_of_them(status, site, canary, tmp_path):
    targets = [f"http://{host}:{port_of(canary)}/" for host in FORMS]
    targets += [address.format(canary=port_of(canary)) for address in ADDRESSES]
    pages = [f"/{number}.html" for number in range(len(targets))]
    site.link("/", *pages)
    for page, target in zip(pages, targets, strict=True):
        site.redirect(page, target.replace("\t", "").encode().decode("latin-1"), status)

    with watching() as tries:
        told = await look(settings(site), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}
    assert {one.path for one in site.requests} >= {*pages}, "each redirect was met"
    assert list(told.versions) == [f"{site.authority}/#.html"]


async def test_neither_link_nor_sitemap_nor_robots_is_a_way_to_any_of_them(site, canary, tmp_path):
    targets = [f"http://{host}:{port_of(canary)}/" for host in FORMS]
    targets += [address.format(canary=port_of(canary)) for address in ADDRESSES]
    links = (f'<a href="{target}">a</a><iframe src="{target}"></iframe>' for target in targets)
    site.put("/", '<a href="page.html">a</a>' + "".join(links))
    canonical = "".join(f'<link rel="canonical" href="{target}">' for target in targets)
    site.put("/page.html", f'{canonical}<base href="{targets[0]}"><a href="x">a</a>')
    named = "".join(f"Sitemap: {target}\n" for target in targets)
    site.put("/robots.txt", f"{named}Sitemap: {site.url}map.xml", "text/plain")
    entries = "".join(f"<sitemap><loc>{target}</loc></sitemap>" for target in targets)
    site.put("/map.xml", f"<sitemapindex>{entries}</sitemapindex>", "application/xml")

    with watching() as tries:
        told = await look(settings(site), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}
    assert "/map.xml" in site.asked
    assert len(told.versions) == 2


@pytest.mark.parametrize("address", ADDRESSES)
async def test_no_address_of_two_meanings_is_a_way_to_it(address, site, canary, tmp_path):
    site.redirect("/robots.txt", address.format(canary=port_of(canary)))
    site.redirect("/page.html", address.format(canary=port_of(canary)))

    with watching() as tries:
        await look(settings(site), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}


@pytest.mark.parametrize("port", [22, 25, 6379, 9200])
async def test_no_other_port_of_the_host_is_asked(port, site, tmp_path):
    site.link("/", f"http://{OWN}:{port}/", f"//{OWN}:{port}/x")

    with watching() as tries:
        await look(settings(site), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}


async def test_only_ports_of_the_settings_and_the_usual_are_asked():
    network = CheckedNetwork(Reach([OWN]), ports=[80, 443])

    with watching() as tries, pytest.raises(Refused, match="port 22 is not asked"):
        await network.connect_tcp(OWN, 22)

    assert tries.connections == []


class Names:
    """Resolves names as a test says, each time otherwise."""

    def __init__(self, monkeypatch, *answers):
        self.answers = list(answers)
        self.asked = []
        monkeypatch.setattr(socket, "getaddrinfo", self)

    def __call__(self, host, port, *_arguments, **_named):
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                *(socket.SOCK_STREAM, 6, ""),
                (address, port),
            )
            for address in found
        ]


async def test_a_name_is_looked_up_once_for_a_connection_and_only_what_was_checked_is_reached(
    monkeypatch, tmp_path
):
    names = Names(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])

    with watching() as tries:
        await look({"urls": ["http://docs.example.com/"]}, tmp_path)
        told = await look({"urls": ["http://docs.example.com/"]}, tmp_path)

    # The guard of the tests refuses the first one; what counts is that it alone was tried.
    assert tries.connections == [("93.184.216.34", 80)]
    assert names.asked == ["docs.example.com"] * 2
    assert "docs.example.com leads to 127.0.0.1, which is loopback and not public" in told.error


@pytest.mark.parametrize(
    "answer",
    [["93.184.216.34", "127.0.0.1"], ["10.0.0.1"], ["::ffff:169.254.169.254"], ["fe80::1%lo"]],
)
async def test_a_name_of_which_one_address_is_not_public_is_not_reached(
    answer, monkeypatch, tmp_path
):
    Names(monkeypatch, answer)

    with watching() as tries:
        told = await look({"urls": ["http://docs.example.com/"]}, tmp_path)

    assert tries.connections == []
    assert "not public" in told.error


async def test_a_name_that_turns_inwards_in_the_midst_is_reached_no_more(
    monkeypatch, site, canary, tmp_path
):
    Names(monkeypatch, [OWN], ["169.254.169.254"])
    url = f"http://docs.internal:{port_of(site)}/"
    site.put("/robots.txt", "", "text/plain", Connection="close")

    with watching() as tries:
        told = await look(settings(url, allow_private=["docs.internal"]), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}
    assert "leads to 169.254.169.254, which is link-local" in told.error


async def test_a_name_that_the_settings_allow_is_reached_by_that_name(monkeypatch, site, tmp_path):
    Names(monkeypatch, [OWN])
    url = f"http://docs.internal:{port_of(site)}/"

    told = await look(settings(url, allow_private=["docs.internal"]), tmp_path)

    assert len(told.versions) == 2
    assert {one.headers["host"] for one in site.requests} == {f"docs.internal:{port_of(site)}"}


async def test_no_proxy_of_the_environment_is_asked(monkeypatch, site, canary, tmp_path):
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, canary.url)

    with watching() as tries:
        told = await look(settings(site), tmp_path)

    assert {*tries.connections} == {(OWN, port_of(site))}
    assert len(told.versions) == 2


async def test_a_secret_goes_to_its_own_host_alone(monkeypatch, site, tmp_path):
    Names(monkeypatch, [OWN])
    with website() as other:
        other.link("/")
        site.redirect("/page.html", other.url)
        named = f"http://docs.internal:{port_of(other)}/"
        own = {"headers": {site.authority: {"Authorization": "Bearer s3cret"}}}

        await look(
            settings(site, other, named, allow_private=[OWN, "docs.internal"], **own), tmp_path
        )

    assert {one.headers.get("authorization") for one in site.requests} == {"Bearer s3cret"}
    assert other.requests
    assert {one.headers.get("authorization") for one in other.requests} == {None}


async def test_no_cookie_is_kept(site, tmp_path):
    site.put("/", '<a href="page.html">a</a>', Set_Cookie="id=1; Path=/")

    await look(settings(site), tmp_path)

    assert all("cookie" not in one.headers for one in site.requests)


async def test_a_secret_of_two_lines_is_no_header(site, tmp_path):
    own = {"headers": {site.authority: {"Cookie": "a=1\r\nHost: other"}}}

    with pytest.raises(Exception, match="expected one line") as refused:
        await look(settings(site, **own), tmp_path)

    assert "a=1" not in str(refused.value)
    assert site.requests == []
