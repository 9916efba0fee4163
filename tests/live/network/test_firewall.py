"""The packet filter as the kernel has it, in network namespaces of their own: what `nft` reads, and
no trace is left."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.live.netns import answers_inside

ENGINE29 = Path(__file__).parents[2] / "data" / "firewall" / "engine29"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("iptables-legacy"),
    reason="needs root, nft and iptables",
)

ASKED: dict[str, tuple[str, dict[str, Any]]] = {
    "nftables": ("nftables", {}),
    "nft": ("iptables", {"flavour": "nft", "family": "ip"}),
    "legacy": ("iptables", {"flavour": "legacy", "family": "ip"}),
    **{name: ("ipset", {"name": name}) for name in ("blocked", "hosts", "ports", "none")},
}


def unshared(
    before: str = "", after: str = "", as_nobody: bool = False
) -> tuple[dict[str, Any], str]:
    """The answers in a fresh network namespace, and what `after` prints there."""
    return answers_inside(ASKED, before, after, as_nobody)


def test_a_look_leaves_no_table_behind() -> None:
    answer, after = unshared(
        after="nft list ruleset; cat /proc/net/ip_tables_names 2>/dev/null || true"
    )
    assert after == ""
    assert answer["nftables"]["rules"] == []
    assert answer["legacy"] == {"text": "", "command": None}


def test_legacy_tables_are_shown_where_there_are_some() -> None:
    answer, _ = unshared("iptables-legacy -A FORWARD -s 10.9.0.0/16 -j DROP")
    assert "-A FORWARD -s 10.9.0.0/16 -j DROP" in answer["legacy"]["text"]
    assert Path(answer["legacy"]["command"][0]).is_absolute()


def test_the_netlink_dump_holds_what_nft_lists() -> None:
    source = ENGINE29 / "nftables.nft.json"
    answer, after = unshared(f"nft -j -f {source}", "nft -j list ruleset")
    listed = [row for row in json.loads(after)["nftables"] if "metainfo" not in row]
    dump = answer["nftables"]
    for kind, name in (
        ("table", "tables"),
        ("chain", "chains"),
        ("rule", "rules"),
        ("map", "sets"),
    ):
        assert len(dump[name]) == sum(kind in row for row in listed) > 0
    comments = sorted(
        entry["rule"]["comment"] for entry in listed if "comment" in entry.get("rule", {})
    )
    assert sorted(rule["comment"] for rule in dump["rules"] if rule.get("comment")) == comments
    recorded = json.loads((ENGINE29 / "nftables.netlink.json").read_text())
    assert settled(dump) == settled(recorded)


def settled(dump: dict[str, Any]) -> dict[str, Any]:
    """A dump without what differs from one load to the next: its number, and the order of a
    hash."""
    sets = [
        nft_set | {"elements": sorted(nft_set["elements"], key=str)} for nft_set in dump["sets"]
    ]
    return dump | {"generation": 0, "sets": sets}


def test_a_long_set_is_cut_and_says_so() -> None:
    addresses = (
        "seq 1 250 | while read a; do seq 1 100 | while read b; do echo 10.0.$a.$b,; done; done"
    )
    table = "nft 'add table ip t; add set ip t s { type ipv4_addr; }'"
    before = f"{table}; {{ echo 'add element ip t s {{'; {addresses}; echo '}}'; }} | nft -f -"
    (answer,) = unshared(before)[0]["nftables"]["sets"]
    assert (len(answer["elements"]), answer["cut"]) == (20_000, True)


SETS = """
from pyroute2 import IPSet
sets = IPSet()
sets.create("blocked", stype="hash:net")
sets.create("hosts", stype="hash:ip", family=10)
sets.create("ports", stype="hash:ip,port")
for net in ("203.0.113.0/24", "198.51.100.7"):
    sets.add("blocked", net, etype="net")
sets.add("hosts", "2001:db8::7", family=10)
"""


def test_the_members_of_the_sets_that_iptables_names() -> None:
    answer, _ = unshared(before=f"\"$PYTHON\" - <<'END'\n{SETS}END\n")
    assert sorted(answer["blocked"]["members"]) == ["198.51.100.7/32", "203.0.113.0/24"]
    assert answer["hosts"] == {"type": "hash:ip", "members": ["2001:db8::7"]}
    assert answer["ports"] == {"type": "hash:ip,port", "members": None}
    assert answer["none"] == {"failed": "missing"}


EVERYTHING = """
table inet f {
 set ranges { type ipv4_addr
  flags interval
  elements = { 10.0.0.0/8, 192.168.1.0-192.168.1.9 }
 }
 set pairs { type ipv4_addr . inet_service
  flags interval
  elements = { 10.0.0.1 . 80-90, 10.0.0.0/24 . 443 }
 }
 set passing { type ipv6_addr
  flags timeout
  elements = { 2001:db8::1 timeout 1h comment "hello" }
 }
 map verdicts { type ifname : verdict
  elements = { "br0" : jump x, "eth0" : accept, "lo" : drop }
 }
 map ports { type inet_service : ipv4_addr . inet_service
  elements = { 80 : 172.18.0.2 . 8080 }
 }
 chain x { }
 chain forward1 { type filter hook forward priority -5; policy drop;
  iifname vmap @verdicts
  fib daddr type local accept
 }
}
table netdev n {
 chain both { type filter hook ingress devices = { v0, v1 } priority 0; }
 chain one { type filter hook ingress device v0 priority 1; }
}
"""


@pytest.fixture(scope="module")
def everything() -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The dump of EVERYTHING, and what nft lists of it."""
    before = f"ip link add v0 type veth peer name v1\nnft -f - <<'END'\n{EVERYTHING}END\n"
    answer, after = unshared(before, "nft -j list ruleset")
    listed = [row for row in json.loads(after)["nftables"] if "metainfo" not in row]
    return answer["nftables"], listed


def test_tables_and_chains_are_those_of_nft(
    everything: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    dump, listed = everything
    tables = {(row["table"]["family"], row["table"]["name"]) for row in listed if "table" in row}
    assert {(row["family"], row["name"]) for row in dump["tables"]} == tables
    hooks = {"forward": 2, "ingress": 0}
    policies = {"drop": 0, "accept": 1, None: None}
    expected = {
        row["chain"]["name"]: (
            hooks.get(row["chain"].get("hook")),
            row["chain"].get("prio"),
            policies[row["chain"].get("policy")],
            row["chain"].get("type"),
        )
        for row in listed
        if "chain" in row
    }
    found = {
        row["name"]: (
            row.get("hook", {}).get("number"),
            row.get("hook", {}).get("priority"),
            row.get("policy"),
            row.get("type"),
        )
        for row in dump["chains"]
    }
    assert found == expected
    chains = {row["name"]: row for row in dump["chains"]}
    assert sorted(chains["both"]["hook"]["devices"]) == ["v0", "v1"]
    assert (chains["one"]["hook"].get("devices") or [chains["one"]["hook"].get("device")]) == ["v0"]


def test_sets_and_maps_are_those_that_were_loaded(
    everything: tuple[dict[str, Any], list[dict[str, Any]]],
) -> None:
    dump, _ = everything
    sets = {row["name"]: row for row in dump["sets"]}
    assert {name: row["fields"] for name, row in sets.items() if row["fields"]} == {"pairs": [4, 2]}
    ranges = sorted(
        (element["value"], element.get("flags", 0)) for element in sets["ranges"]["elements"]
    )
    assert ("c0a8 010a", 1) in ranges, "the end of a range has its flag"
    assert ("0a00 0000", 0) in ranges
    pairs = {(element["value"], element["value_end"]) for element in sets["pairs"]["elements"]}
    assert pairs == {
        ("0a00 0001 0050 0000", "0a00 0001 005a 0000"),
        ("0a00 0000 01bb 0000", "0a00 00ff 01bb 0000"),
    }
    verdicts = [element["data"] for element in sets["verdicts"]["elements"]]
    assert sorted(verdicts, key=str) == [{"code": -3, "chain": "x"}, {"code": 0}, {"code": 1}]
    assert [element["data"] for element in sets["ports"]["elements"]] == ["ac12 0002 1f90 0000"]
    (fib,) = (
        part for rule in dump["rules"] for part in rule["expressions"] if part["name"] == "fib"
    )
    assert fib == {"name": "fib", "dreg": 1, "result": 3, "flags": 2}


def test_a_dormant_table_has_its_flag() -> None:
    answer, _ = unshared("nft 'add table ip6 asleep { flags dormant; }'; nft add table ip awake")
    assert {(row["family"], row["name"], row["flags"]) for row in answer["nftables"]["tables"]} == {
        ("ip6", "asleep", 1),
        ("ip", "awake", 0),
    }


def test_without_privilege_it_is_forbidden() -> None:
    answer, _ = unshared("iptables-legacy -A FORWARD -j ACCEPT", as_nobody=True)
    assert {name: answered.get("failed") for name, answered in answer.items()} == dict.fromkeys(
        answer, "forbidden"
    )


CONNECTIONS = """
ip link set lo up
nft -f - <<'END'
table ip t {
 chain c { type filter hook output priority 0;
  ct state new ct mark set 0x7
 }
 chain d { type nat hook output priority -100;
  ip daddr 127.0.0.9 tcp dport 80 dnat to 127.0.0.1:8080
 }
}
END
"$PYTHON" - <<'END' &
import socket, time
server = socket.create_server(("127.0.0.1", 8080))
client = socket.create_connection(("127.0.0.9", 80))
peer, _ = server.accept()
lone = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for port in range(9000, 9009):
    lone.sendto(b"x", ("127.0.0.1", port))
time.sleep(20)
END
TALKER=$!
sleep 2
"""


@pytest.mark.skipif(not shutil.which("conntrack"), reason="needs conntrack as the oracle")
def test_tracked_connections_are_those_of_conntrack() -> None:
    asked: dict[str, tuple[str, dict[str, Any]]] = {
        "all": ("conntrack", {}),
        "tcp": ("conntrack", {"protocol": "tcp", "dst": "127.0.0.9", "dport": 80}),
        "none": ("conntrack", {"protocol": "tcp", "dport": 81}),
        "few": ("conntrack", {"protocol": "udp", "limit": 3}),
        "inet6": ("conntrack", {"family": "inet6"}),
    }
    answers, shown = answers_inside(asked, CONNECTIONS, "conntrack -L 2>/dev/null; kill $TALKER")
    listed = [line for line in shown.splitlines() if " src=" in line and "dport=53 " not in line]
    rows = answers["all"]["entries"]
    assert answers["all"]["complete"]
    expected = {
        (
            line.split()[0],
            *(
                word.partition("=")[2]
                for word in line.split()
                if word[:4] in ("src=", "dst=", "spor", "dpor")
            ),
        )
        for line in listed
    }
    names = ("src", "dst", "sport", "dport", "reply_src", "reply_dst", "reply_sport", "reply_dport")
    assert {(row["protocol"], *(str(row[name]) for name in names)) for row in rows} >= expected
    assert sum(line.startswith("udp") for line in listed) >= 9
    (tcp,) = answers["tcp"]["entries"]
    assert (tcp["state"], tcp["reply_src"], tcp["reply_dport"] > 1024, tcp["mark"]) == (
        "established",
        "127.0.0.1",
        True,
        7,
    )
    assert {"assured", "dst_nat", "seen_reply"} <= set(tcp["status"])
    assert 0 < tcp["timeout"] < 5 * 86400 + 1
    assert answers["none"] == {"loaded": True, "complete": True, "entries": []}
    assert (len(answers["few"]["entries"]), answers["few"]["complete"]) == (3, False)
    assert {row["protocol"] for row in answers["few"]["entries"]} == {"udp"}
    assert answers["inet6"]["entries"] == []
