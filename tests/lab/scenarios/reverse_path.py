"""Hosts with two interfaces, whose clients call by the one and are answered by the other."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.provider import BOX_ADDRESS
from tests.lab.scenarios.paths.uplinks import link_second_uplink

_CLIENT = "198.51.101.7"
_URL = f"http://{BOX_ADDRESS}:8080/"


def _second_net(box: Box) -> None:
    """An interface eth1 to a second net, and a client behind a router there."""
    link_second_uplink(box)
    lenient = "for file in /proc/sys/net/ipv4/conf/*/rp_filter; do echo 0 >$file; done"
    box.provider.sh(f"""
        ip addr add 198.51.100.1/24 dev uplink1
        ip addr add {_CLIENT}/32 dev lo
        ip link set uplink1 up
        ip route add default via 198.51.100.10 dev uplink1 table 99
        ip rule add from {_CLIENT} lookup 99
        {lenient}
    """)
    box.sh(f"ip addr add 198.51.100.10/24 dev eth1; ip link set eth1 up; {lenient}")


def _call(box: Box) -> bool:
    """Whether the client from behind the second net is answered."""
    call = ["curl", "-sS", "--noproxy", "*", "--interface", _CLIENT, "--max-time", "2", _URL]
    return box.provider.run(call, check=False).returncode == 0


def _call_on(box: Box) -> None:
    """The client calls again and again, while the tool runs."""
    call = f"curl -s -o /dev/null --noproxy '*' --interface {_CLIENT} --max-time 0.4 {_URL}"
    box.provider.sh(f"(while :; do {call} || sleep 0.1; done) >/dev/null 2>&1 &")


@fault("network.requests-taken-for-forged", subject="interface:eth1")
def requests_by_the_other_interface(box: Box) -> None:
    """Clients call the host by its second interface, answers to them leave through the first one,
    and rp_filter is strict."""
    _second_net(box)
    assert _call(box)
    box.sh("sysctl -qw net.ipv4.conf.all.rp_filter=1")
    assert not _call(box)
    _call_on(box)


@healthy()
def requests_to_a_lenient_host(box: Box) -> None:
    """The same clients and interfaces, with rp_filter=2."""
    _second_net(box)
    box.sh("sysctl -qw net.ipv4.conf.all.rp_filter=2")
    assert _call(box)
    _call_on(box)


@healthy()
def second_interface_without_clients_beyond(box: Box) -> None:
    """A strict host with a second interface, which has neighbours alone, as storage networks do."""
    _second_net(box)
    box.sh("sysctl -qw net.ipv4.conf.all.rp_filter=1")
    assert box.provider.curl("http://198.51.100.10:8080/")
