"""Addresses and names under `--anonymize`: what stays special, private or apart."""

from __future__ import annotations

import ipaddress
import itertools
import random
from typing import Any

import pytest

from diagnose import registry
from diagnose.ticket import vocabulary
from diagnose.ticket.addresses import Addresses
from diagnose.ticket.identities import registrable
from tests.ticket.anonymized import KEY

NETWORKS = [
    ipaddress.ip_network(text)
    for text in (
        "172.28.0.0/16",
        "172.28.5.0/24",
        "10.0.0.0/8",
        "10.0.0.0/24",
        "fd00:5::/64",
        "192.0.2.0/24",
    )
]
KEPT = (
    *(
        "127.0.0.1",
        "127.0.0.11",
        "0.0.0.0",
        "255.255.0.0",
        "255.255.255.255",
        "169.254.169.254",
        "224.0.0.1",
        "8.8.8.8",
    ),
    *("::", "::1", "fe80::1", "ff02::1"),
)


@pytest.mark.parametrize("address", KEPT)
def test_special_addresses_stay(address: str):
    assert Addresses(KEY, NETWORKS).rename(address) == address


@pytest.mark.parametrize("network", NETWORKS, ids=str)
@pytest.mark.parametrize("seed", range(5))
def test_networks_stay_networks(network: Any, seed: int):
    """A network's own address and its broadcast keep their zeros and ones, and its members stay in
    it."""
    renamed = Addresses(bytes([seed]) * 32, NETWORKS)
    first = ipaddress.ip_address(renamed.rename(str(network.network_address)))
    new = ipaddress.ip_network(f"{first}/{network.prefixlen}")
    assert str(new.broadcast_address) == renamed.rename(str(network.broadcast_address))
    rnd = random.Random(seed)
    for _ in range(50):
        member = network.network_address + rnd.randrange(2**16 if network.prefixlen == 16 else 256)
        assert ipaddress.ip_address(renamed.rename(str(member))) in new


@pytest.mark.parametrize("seed", range(5))
def test_prefixes_are_kept_exactly_and_no_two_become_one(seed: int):
    rnd = random.Random(seed)
    renamed = Addresses(bytes([seed]) * 32, NETWORKS)
    base = rnd.getrandbits(31)
    olds = [ipaddress.IPv4Address(base ^ rnd.getrandbits(rnd.randrange(1, 31))) for _ in range(300)]
    pairs = [(int(old), int(ipaddress.IPv4Address(renamed.rename(str(old))))) for old in set(olds)]
    assert len({new for _, new in pairs}) == len(pairs)
    for (old, new), (other_old, other_new) in itertools.pairwise(pairs):
        if not any(
            address in NETWORKS[2] for address in map(ipaddress.IPv4Address, (old, other_old))
        ):
            assert (old ^ other_old).bit_length() == (new ^ other_new).bit_length()


@pytest.mark.parametrize("private", ["10.7.8.9", "172.19.3.4", "192.168.3.4", "100.64.7.7"])
def test_private_addresses_stay_private(private: str):
    old, new = (
        ipaddress.ip_address(private),
        ipaddress.ip_address(Addresses(KEY, []).rename(private)),
    )
    assert old != new
    assert old.is_private == new.is_private
    assert str(old).split(".")[0] == str(new).split(".")[0]


OWNED = {
    "registry.acme.internal": "acme.internal",
    "a.b.acme.co.uk": "acme.co.uk",
    "web.acme.ne.jp": "acme.ne.jp",
    "www.acme.gouv.fr": "acme.gouv.fr",
    "acme.github.io": "acme.github.io",
    "co.uk": "",
    "registry-1.docker.io": "",
    "123.dkr.ecr.eu-west-1.amazonaws.com": "",
    "localhost": "",
    "10.0.0.1": "",
}


@pytest.mark.parametrize("name", OWNED)
def test_the_part_that_somebody_owns(name: str):
    assert registrable(name) == OWNED[name]


@pytest.fixture(scope="module")
def known() -> frozenset[str]:
    registry.load()
    vocabulary.known_words.cache_clear()
    return vocabulary.known_words()


def test_words_that_checks_look_for_are_known(known: frozenset[str]):
    assert {"search", "nameserver", "json-file", "overlay2", "DOCKER-USER"} <= known
    assert not {"billing", "payroll", "buildhost7"} & known


def test_names_of_our_own_code_are_not_known(known: frozenset[str]):
    names_of_ours = {"publisher", "sandbox", "memory_bytes", "DiskUsage"}
    assert not names_of_ours & known


SOURCE = '''
"""shop"""
from depot import cellar


def till(payroll: "Invoice", *, office: str = "tcp") -> "Ledger":
    """Counts."""
    return cellar(canteen=payroll, lift=["udp", f"port {office}"], stairs={"Id": 1})
'''


def test_the_texts_of_a_module_are_no_names():
    assert sorted(vocabulary.texts_in(SOURCE)) == ["Id", "port ", "tcp", "udp"]
