"""The hands on a real kernel, in network namespaces of their own: they read what `nft` reads, and leave no trace."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]
ENGINE29 = Path(__file__).parents[1] / "data" / "firewall" / "engine29"

pytestmark = pytest.mark.skipif(
    os.geteuid() != 0 or not shutil.which("nft") or not shutil.which("iptables-legacy"),
    reason="needs root, nft and iptables",
)

ASK = """
import json, sys
from diagnose.recording.questions import question
from diagnose.live import failure
from diagnose.live.network.ipset import ipset
from diagnose.live.network.iptables import iptables_save
from diagnose.live.network.nftables import nftables
def ask(hand, *args, **named):
    try:
        return hand(None, question(*args, **named))
    except Exception as error:
        return {"failed": failure(error).reason}
print(json.dumps({
    "nftables": ask(nftables, "nftables"),
    "nft": ask(iptables_save, "iptables", flavour="nft", family="ip"),
    "legacy": ask(iptables_save, "iptables", flavour="legacy", family="ip"),
    **{name: ask(ipset, "ipset", name=name) for name in ("blocked", "hosts", "ports", "none")},
}))
"""


def unshared(before: str = "", after: str = "", as_nobody: bool = False) -> tuple[dict[str, Any], str]:
    """What the hands answer in a fresh network namespace, and what `after` prints there."""
    user = "setpriv --reuid=65534 --regid=65534 --clear-groups" if as_nobody else ""
    script = f'{before}\n{user} "$0" -c "$1"\necho\n{after}'
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, sys.executable, ASK],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )
    answer, _, rest = done.stdout.partition("\n")
    return json.loads(answer), rest.strip()


def test_a_look_leaves_no_table_behind() -> None:
    answer, after = unshared(after="nft list ruleset; cat /proc/net/ip_tables_names 2>/dev/null || true")
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
    listed = [each for each in json.loads(after)["nftables"] if "metainfo" not in each]
    dump = answer["nftables"]
    for kind, name in (("table", "tables"), ("chain", "chains"), ("rule", "rules"), ("map", "sets")):
        assert len(dump[name]) == sum(kind in each for each in listed) > 0
    comments = sorted(each["rule"]["comment"] for each in listed if "comment" in each.get("rule", {}))
    assert sorted(each["comment"] for each in dump["rules"] if each.get("comment")) == comments
    recorded = json.loads((ENGINE29 / "nftables.netlink.json").read_text())
    assert settled(dump) == settled(recorded)


def settled(dump: dict[str, Any]) -> dict[str, Any]:
    """A dump without what differs from one load to the next: its number, and the order of a hash."""
    sets = [each | {"elements": sorted(each["elements"], key=str)} for each in dump["sets"]]
    return dump | {"generation": 0, "sets": sets}


def test_a_long_set_is_cut_and_says_so() -> None:
    addresses = "seq 1 250 | while read a; do seq 1 100 | while read b; do echo 10.0.$a.$b,; done; done"
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
    answer, _ = unshared(before=f"\"$0\" - <<'END'\n{SETS}END\n")
    assert sorted(answer["blocked"]["members"]) == ["198.51.100.7/32", "203.0.113.0/24"]
    assert answer["hosts"] == {"type": "hash:ip", "members": ["2001:db8::7"]}
    assert answer["ports"] == {"type": "hash:ip,port", "members": None}
    assert answer["none"] == {"failed": "missing"}


def test_without_privilege_it_is_forbidden() -> None:
    answer, _ = unshared("iptables-legacy -A FORWARD -j ACCEPT", as_nobody=True)
    assert {name: each.get("failed") for name, each in answer.items()} == dict.fromkeys(answer, "forbidden")
