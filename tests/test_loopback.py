import socket
import subprocess
import sys

import pytest

import loopback


def test_connecting_to_another_machine_is_refused():
    with (
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as client,
        pytest.raises(loopback.NetworkRefused, match=r"192\.0\.2\.1"),
    ):
        client.connect(("192.0.2.1", 80))


def test_looking_up_a_name_is_refused():
    with pytest.raises(loopback.NetworkRefused, match=r"example\.org"):
        socket.getaddrinfo("example.org", 80)


def test_this_machine_may_be_reached():
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=5) as client,
    ):
        assert client.getpeername() == server.getsockname()


def test_a_child_process_is_refused_and_its_attempt_listed(tmp_path):
    environment = loopback.environment(tmp_path)
    code = "import socket; socket.create_connection(('192.0.2.1', 80))"

    child = subprocess.run(
        [sys.executable, "-c", code], check=False, env=environment, capture_output=True
    )

    assert child.returncode == 1
    assert "192.0.2.1" in (tmp_path / "attempts").read_text()


def test_what_is_tried_is_seen_also_where_it_is_refused():
    with loopback.watching() as tries:
        with socket.socket() as client, pytest.raises(loopback.NetworkRefused):
            client.connect(("192.0.2.1", 80))
        with pytest.raises(loopback.NetworkRefused):
            socket.getaddrinfo("example.org", 80)
    with socket.socket() as client, pytest.raises(loopback.NetworkRefused):
        client.connect(("192.0.2.2", 80))

    assert tries.connections == [("192.0.2.1", 80)]
    assert tries.names == ["example.org"]
