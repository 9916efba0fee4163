"""The tables of engine 29's nftables backend, held against those that it wrote on a real host."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from diagnose.firewall import nft
from diagnose.firewall.engine_rules import Bridge, PublishedPort
from diagnose.firewall.native_rules import NativeTable, native_table
from diagnose.firewall.packet import Family
from diagnose.firewall.rules import Chain
from diagnose.recording import answer_files
from tests.questions import question

RECORDED = Path(__file__).parents[2] / "fixtures" / "engine29.nftables"
BRIDGES = (
    Bridge("docker0", "172.17.0.0/16"),
    Bridge(
        "br-b555eb9aea54",
        "172.18.0.0/16",
        ("172.18.0.2",),
        (PublishedPort("172.18.0.2", 8080, "tcp", 8090),),
    ),
)
MUTILATIONS = 100


def _recorded(family: Family) -> list[Chain]:
    entries, _ = answer_files.read_folder(RECORDED)
    dump: Any = entries[question("nftables")].answer
    return [
        chain
        for chain in nft.chains(dump)
        if (chain.table.family, chain.table.name) == (family, "docker-bridges")
    ]


@pytest.fixture(scope="module")
def table() -> NativeTable:
    return native_table("ip", BRIDGES, has_proxy=True)


def test_the_table_is_the_one_that_the_engine_wrote(table: NativeTable) -> None:
    written = {chain.name: chain for chain in table.chains}
    recorded = {chain.name: chain for chain in _recorded("ip")}
    assert written.keys() == recorded.keys()
    for name, chain in recorded.items():
        assert written[name] == chain
    assert table.missing_in(recorded.values()) == ()
    assert table.stale_in(recorded.values()) == ()


def test_the_table_of_the_other_family() -> None:
    assert native_table("ip6", (), has_proxy=True).missing_in(_recorded("ip6")) == ()


def test_each_lost_rule_is_missed(table: NativeTable) -> None:
    seed = random.SystemRandom().randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    recorded = _recorded("ip")
    for _ in range(MUTILATIONS):
        chain = chance.choice([chain for chain in recorded if chain.rules])
        lost = chance.randrange(1, len(chain.rules) + 1)
        kept = tuple(chance.sample(chain.rules, len(chain.rules) - lost))
        is_gone = chance.random() < 0.2
        others = [other for other in recorded if other is not chain]
        found = others if is_gone else [*others, replace(chain, rules=kept)]
        missing = table.missing_in(found)
        assert len(missing) == (len(chain.rules) if is_gone else lost)
        assert all(text.startswith(f"ip {chain.name}: ") for text in missing)


def test_a_translation_to_a_former_container_is_stale(table: NativeTable) -> None:
    former = native_table(
        "ip", [replace(BRIDGES[1], ports=(PublishedPort("172.18.0.9", 80, "tcp", 80),))],
        has_proxy=True,
    )  # fmt: skip
    (stale,) = table.stale_in(former.chains)
    assert "172.18.0.9:80" in stale


def test_the_text_replaces_the_table_in_one_step(table: NativeTable) -> None:
    lines = table.text.splitlines()
    assert lines[:3] == [
        "table ip docker-bridges {}",
        "delete table ip docker-bridges",
        "table ip docker-bridges {",
    ]
