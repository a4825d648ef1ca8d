import socket
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citewell_web.addresses import Reach, allowed_entry, kind_of
from citewell_web.urls import UrlRefused, parse

NOT_PUBLIC = (
    *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
    *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16"),
    *("198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    "168.63.129.16/32",
)
NOT_PUBLIC_6 = (
    *("::/128", "::1/128", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8", "100::/64"),
    *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "64:ff9b:1::/48", "4000::/3"),
)
PUBLIC = ("1.1.1.1", "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::101:101")


def within(networks):
    spans = [ip_network(network) for network in networks]
    return st.one_of([
        st.integers(int(span[0]), int(span[-1])).map(type(span[0])) for span in spans
    ])


INNER = within(NOT_PUBLIC)
WRAPPED = st.one_of(
    INNER.map(lambda inner: IPv6Address(0xFFFF << 32 | int(inner))),
    INNER.map(lambda inner: IPv6Address(0xFFFF << 48 | int(inner))),
    INNER.map(lambda inner: IPv6Address(int(inner))),
    INNER.map(lambda inner: IPv6Address(0x0064FF9B << 96 | int(inner))),
    INNER.map(lambda inner: IPv6Address(0x2002 << 112 | int(inner) << 80 | 1)),
    INNER.map(lambda inner: IPv6Address(0x20010000 << 96 | int(inner) ^ 0xFFFFFFFF)),
    INNER.map(lambda inner: IPv6Address(0x2600 << 112 | 0x5EFE << 32 | int(inner))),
)
ANY = st.one_of(INNER, within(NOT_PUBLIC_6), WRAPPED)


@st.composite
def spellings(draw):
    """A host as `inet_aton` or `inet_pton` would read it, of an address that is not public."""
    address = draw(ANY)
    if isinstance(address, IPv6Address):
        forms = [address.compressed, address.exploded, address.exploded.upper()]
        if address.ipv4_mapped:
            forms.append(f"::ffff:{address.ipv4_mapped}")
        return f"[{draw(st.sampled_from(forms))}]"
    number = draw(st.sampled_from((str, hex, "0{:o}".format, "0x{:08X}".format)))
    octets = list(address.packed)
    parts = draw(st.integers(1, 4))
    last = int.from_bytes(octets[parts - 1 :])
    return ".".join(number(part) for part in (*octets[: parts - 1], last))


@given(ANY)
def test_no_address_is_reached_that_is_not_public(address):
    assert kind_of(address) is not None
    assert Reach().refusal(str(address), host="docs.example.com")


@given(spellings())
def test_however_an_address_is_spelled_it_is_not_reached(host):
    try:
        url = parse(f"http://{host}/")
    except UrlRefused:
        return

    assert Reach().refusal(url.host, host=url.host), "refused as an address, or as its spelling"


@given(spellings())
def test_a_spelling_means_what_the_system_takes_it_for(host):
    try:
        url = parse(f"http://{host}/")
    except UrlRefused:
        return

    if ":" in host:
        family = socket.AF_INET6
        meant = socket.inet_pton(family, host.strip("[]"))
    else:
        family = socket.AF_INET
        meant = socket.inet_aton(host)
    assert socket.inet_pton(family, url.host) == meant


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is_reached(address):
    assert Reach().refusal(address, host="docs.example.com") is None


@pytest.mark.parametrize(
    ("allowed", "address", "is_reached"),
    [
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "::ffff:10.1.2.3", True),
        ("10.0.0.0/8", "192.168.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "127.0.0.2", False),
        ("fd00::/8", "fd12::1", True),
        ("fd00::/8", "fe80::1", False),
        ("wiki.internal", "10.1.2.3", True),
        ("other.internal", "10.1.2.3", False),
        ("169.254.0.0/16", "169.254.169.254", True),
    ],
)
def test_the_settings_name_what_else_is_reached(allowed, address, is_reached):
    refusal = Reach([allowed]).refusal(address, host="wiki.internal")

    assert (refusal is None) is is_reached


@pytest.mark.parametrize(
    "address",
    [
        *("169.254.169.254", "168.63.129.16", "0.0.0.0", "224.0.0.1", "fe80::1"),
        *("100.100.100.200", "fd00:ec2::254", "fd20:ce::254", "::ffff:100.100.100.200"),
    ],
)
def test_a_name_that_is_allowed_does_not_lead_to_the_metadata_of_a_cloud(address):
    assert Reach(["wiki.internal"]).refusal(address, host="wiki.internal")


def test_a_refusal_names_the_address_and_what_allows_it():
    refusal = Reach().refusal("10.0.0.7", host="wiki.internal")

    assert refusal == (
        "wiki.internal leads to 10.0.0.7, which is private and not public; "
        'if you mean it, name it in allow_private = ["10.0.0.7"]'
    )


@pytest.mark.parametrize("entry", ["127.1", "0x7f.1", "10.0.0.5/8", "a b", "", "wiki:80", "*"])
def test_an_entry_that_names_nothing_is_refused(entry):
    with pytest.raises(ValueError):  # noqa: PT011 - two kinds of messages
        allowed_entry(entry)


def test_an_ipv4_address_is_its_own_inner_one():
    assert kind_of(IPv4Address("10.0.0.1")) == "private"
    assert kind_of(IPv6Address("64:ff9b::a9fe:a9fe")) == "link-local"
