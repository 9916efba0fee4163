"""From where names are asked for that a container without a way out has in its log."""

from __future__ import annotations

import pytest

from diagnose.evidence.dns.query_plan import asking_pid
from diagnose.evidence.dns.resolvers import parse
from tests.inspected import container

FILE = "nameserver 127.0.0.11\n# ExtServers: [host(192.0.2.66)]\n"
"""What a container may have written there itself."""
PLACES = {
    "internal": ({"vault": {"IPAddress": "172.18.0.2"}}, True),
    "with a way out": ({"shop": {"IPAddress": "172.18.0.2", "Gateway": "172.18.0.1"}}, False),
    "with IPv6 alone": ({"six": {"IPv6Gateway": "fd00::1"}}, False),
    "with one of two": (
        {"vault": {"IPAddress": "172.18.0.2"}, "shop": {"Gateway": "172.19.0.1"}}, False,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("networks", "inside"), PLACES.values(), ids=PLACES)
def test_the_host_asks_no_server_for_a_container_without_a_way_out(
    networks: dict[str, dict[str, str]], inside: bool
) -> None:
    (upstream,) = parse(FILE).external or ()
    caller = container(
        "caller", NetworkSettings={"Networks": networks}, State={"Status": "running", "Pid": 77}
    )
    assert asking_pid(caller, upstream) == (77 if inside else None)
