"""Native nftables rules as the kernel holds them: `nft` loads each, the hand reads it back, the
walk judges one packet."""

from __future__ import annotations

import functools
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from diagnose.firewall.conditions import Match
from diagnose.firewall.packet import Packet
from diagnose.firewall.rules import Ruleset
from diagnose.firewall.ruleset import assemble
from diagnose.firewall.text import describe
from diagnose.firewall.values import Interval
from diagnose.firewall.walk import walk

PROJECT = Path(__file__).parents[2]
PACKET = Packet(
    "docker0",
    "eth0",
    "172.17.0.2",
    "198.51.100.1",
    "tcp",
    40000,
    443,
    dst_local=False,
    src_local=False,
)

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft"), reason="needs root and nft"
)

RULES = {
    "iifname docker0 drop": "drop",
    "iifname != docker0 drop": "accept",
    'iifname "dock*" drop': "drop",
    'iifname { "veth*", "dock*" } drop': "drop",
    'iifname { "veth*", "br-*" } drop': "accept",
    "iifname { docker0, br-1 } oifname eth0 drop": "drop",
    "iifgroup 0 drop": "drop",
    "iifgroup 2 drop": "accept",
    "iifgroup != 2 drop": "drop",
    "iifgroup != 0 drop": "accept",
    "iifgroup 7 drop": "accept",
    "oifgroup 2 drop": "drop",
    "iifgroup { 0, 2 } drop": "unknown",
    "iifname . oifname { docker0 . eth0 } drop": "drop",
    "iifname . oifname { docker0 . eth1 } drop": "accept",
    "ip saddr 172.17.0.2 drop": "drop",
    "ip saddr 172.16.0.0/12 drop": "drop",
    "ip saddr 172.32.0.0/11 drop": "accept",
    "ip saddr != 172.16.0.0/12 drop": "accept",
    "ip saddr 172.17.0.1-172.17.0.9 drop": "drop",
    "ip saddr != 172.17.0.1-172.17.0.9 drop": "accept",
    "ip saddr { 10.0.0.0/8, 172.17.0.0/30, 192.168.0.5 } drop": "drop",
    "ip saddr != { 10.0.0.0/8, 172.17.0.0/30 } drop": "accept",
    "ip saddr 172.17.0.2 ip daddr 198.51.100.1 drop": "drop",
    "ip saddr . ip daddr { 172.17.0.2 . 198.51.100.1 } drop": "drop",
    "ip saddr . tcp dport { 172.17.0.0/16 . 400-500 } drop": "drop",
    "ip saddr . tcp dport { 172.17.0.0/16 . 500-600 } drop": "accept",
    "ip6 saddr fd00::/8 drop": "accept",
    "meta nfproto ipv6 drop": "accept",
    "meta protocol ip drop": "drop",
    "meta l4proto tcp drop": "drop",
    "meta l4proto { icmp, udp } drop": "accept",
    "meta l4proto { tcp, udp } th dport 443 drop": "drop",
    "ip protocol tcp drop": "drop",
    "tcp dport 443 drop": "drop",
    "tcp dport 400-500 drop": "drop",
    "tcp dport != 400-500 drop": "accept",
    "tcp dport > 500 drop": "accept",
    "tcp dport { 80, 443 } drop": "drop",
    "tcp dport { 80, 8000-9000 } drop": "accept",
    "tcp sport 40000 tcp dport 443 drop": "drop",
    "udp dport 443 drop": "accept",
    "icmp type echo-request drop": "accept",
    "ct state new drop": "drop",
    "ct state { established, related } drop": "accept",
    "ct state established,related drop": "accept",
    "ct state != new drop": "accept",
    "ct state vmap { new : drop, established : accept }": "drop",
    "ct status dnat drop": "accept",
    "ct direction original drop": "drop",
    "ct original ip daddr 198.51.100.1 drop": "drop",
    "ct original ip saddr 172.17.0.0/16 drop": "drop",
    "ct original ip saddr 172.18.0.0/16 drop": "accept",
    "ip daddr . tcp dport { 198.51.100.1 . 443 } drop": "drop",
    "ip daddr . tcp dport { 198.51.100.1 . 80, 198.51.100.2 . 443 } drop": "accept",
    "ip daddr . tcp dport vmap { 198.51.100.1 . 443 : drop }": "drop",
    "meta l4proto tcp ct original proto-dst 80 drop": "accept",
    "meta l4proto tcp ct original proto-dst 443 drop": "drop",
    "meta mark 0 drop": "drop",
    "meta mark 0x7 drop": "accept",
    "meta mark and 0xff == 0x7 drop": "accept",
    "meta mark set 0x7 meta mark 0x7 drop": "unknown",
    "meta mark 1-5 drop": "accept",
    "fib daddr type local drop": "accept",
    "fib daddr type != local drop": "drop",
    "fib saddr . iif oif missing drop": "accept",
    "fib saddr . iif oif exists drop": "drop",
    'log prefix "x" counter drop comment "why"': "drop",
    "limit rate 10/second drop": "drop",
    "limit rate 10/second accept": "accept",
    "meter flood { ip saddr limit rate over 200/second } drop": "accept",
    "meter few { ip saddr ct count 20 } drop": "drop",
    "limit rate over 10/second drop": "accept",
    "ct count over 50 drop": "accept",
    "ct count 50 drop": "drop",
    "meta skuid 1000 drop": "accept",
    "meta skuid != 1000 drop": "accept",
    "tcp flags syn drop": "unknown",
    "tcp flags & (fin | syn | rst | ack) == syn drop": "drop",
    "tcp flags & (fin | syn | rst | ack) != syn ct state new drop": "accept",
    "tcp flags 0x0 drop": "accept",
    "meta l4proto tcp reject with tcp reset": "reject",
    "tcp dport vmap { 80 : accept, 443 : drop }": "drop",
    "tcp dport vmap { 80 : drop, 400-442 : drop }": "accept",
    "ip daddr vmap { 198.51.0.0/16 : jump gone, 10.0.0.0/8 : drop }": "drop",
    "iifname docker0 goto gone": "drop",
    "queue num 0": "unknown",
    "accept": "accept",
    "return": "accept",
}
"""A rule alone in a chain of policy accept, and what becomes of the packet. The chain `gone` drops.
"""


@functools.cache
def loaded() -> Ruleset:
    chains = [
        f"chain c{number} {{ type filter hook forward priority {number}; policy accept; }}"
        for number in range(len(RULES))
    ]
    commands = [f"nft 'table inet t {{ chain gone {{ drop; }}; {'; '.join(chains)}; }}'"]
    for number, rule in enumerate(RULES):
        commands.append(
            f"nft 'add rule inet t c{number} {rule}' || nft 'delete chain inet t c{number}'"
        )
    ask = "import json; from diagnose.live.network.nftables import rule_set; print(json.dumps(rule_set({})))"
    done = subprocess.run(
        [
            "unshare",
            "--net",
            "sh",
            "-ec",
            "\n".join(commands) + '\nexec "$0" -c "$1"',
            sys.executable,
            ask,
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )
    assert done.returncode == 0, done.stderr
    return assemble(json.loads(done.stdout), groups={0: ["lo", "docker0"], 2: ["eth0"]})


GROUP_RULE = {"known": ({2: ["eth0"]}, "iifgroup != 2"), "not known": (None, "(iifgroup)")}


@pytest.mark.parametrize(("groups", "text"), GROUP_RULE.values(), ids=GROUP_RULE)
def test_a_rule_about_a_group_is_quoted_as_it_stands(
    groups: dict[int, list[str]] | None, text: str
) -> None:
    load = {"name": "meta", "key": 21, "dreg": 1}
    compare = {"name": "cmp", "sreg": 1, "op": 1, "data": "02000000"}
    rule = {"family": "ip", "table": "t", "chain": "c", "expressions": [load, compare]}
    dump = {
        "byteorder": "little",
        "tables": [{"family": "ip", "name": "t"}],
        "chains": [{"family": "ip", "table": "t", "name": "c"}],
        "rules": [rule],
        "sets": [],
    }
    (read,) = assemble(dump, groups=groups).chains
    assert [rule.text for rule in read.rules] == [text]


@pytest.mark.parametrize("rule", RULES)
def test_what_a_rule_of_nft_does_to_a_packet(rule: str) -> None:
    name = f"c{list(RULES).index(rule)}"
    alone = Ruleset(tuple(chain for chain in loaded().chains if chain.name in (name, "gone")))
    if len(alone.chains) < 2:
        pytest.skip("this kernel or this nft does not know the rule")
    verdict = walk(alone, "forward", PACKET)
    assert verdict.outcome == RULES[rule], (
        verdict.by,
        [str(rule.text) for rule in alone.chains[-1].rules],
    )


def test_half_of_all_addresses_is_written_as_such() -> None:
    every = Interval(0, (1 << 31) - 1)
    assert describe((Match(("src",), ((every,),)),)) == "ip saddr 0.0.0.0/1"
    assert describe((Match(("src",), ((Interval(1, 1),),)),)) == "ip saddr ::1"


def test_nearly_all_rules_were_loaded() -> None:
    assert len(loaded().chains) > 0.9 * len(RULES)


def test_a_load_of_no_bytes_is_not_understood() -> None:
    """No kernel gives one; a changed bundle might, and reading it must end."""
    nothing = {"name": "bitwise", "sreg": 1, "dreg": 1, "len": 0, "mask": "", "xor": ""}
    compared = {"name": "cmp", "sreg": 1, "op": 0, "data": "00"}
    rule = {"family": "ip", "table": "t", "chain": "c", "expressions": [nothing, compared]}
    chain = {"family": "ip", "table": "t", "name": "c"}
    table = {"family": "ip", "name": "t"}
    dump = {
        "byteorder": "little",
        "tables": [table],
        "chains": [chain],
        "rules": [rule],
        "sets": [],
    }
    (read,) = assemble(dump).chains
    assert [rule.text for rule in read.rules] == ["(not understood: a load of no bytes)"]
