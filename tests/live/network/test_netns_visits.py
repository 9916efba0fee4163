"""Visits to the network namespaces of processes: what is seen there, and that nobody stays."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from diagnose.live import Live, Refused
from diagnose.live.network import process
from tests.live.netns import PROJECT, Holder, root, start_time
from tests.questions import question


@root
def test_a_visit_sees_the_namespace_and_leaves_no_trace(live: Live) -> None:
    before = os.stat("/proc/self/ns/net").st_ino
    own = process.ask(live, question("net.links"))
    with Holder() as pid:
        seen = process.ask(live, question("netns", pid=pid, start=start_time(pid), nft=True))
        assert seen["inode"] == os.stat(f"/proc/{pid}/ns/net").st_ino
    links = {row["name"]: row for row in seen["links"]}
    assert links["v0"]["master"] == links["br9"]["index"]
    assert links["v0"]["link"] == links["v1"]["index"]
    assert (links["v0"]["kind"], links["v0"]["mtu"]) == ("veth", 1400)
    assert links["v0"]["bridge_port_state"] == "forwarding"
    assert (links["br9"]["index"], "10.97.0.1", 24) in {
        (row["index"], row["address"], row["prefix"]) for row in seen["addresses"]
    }
    assert ("10.98.0.0", 16, "10.97.0.2") in {
        (row["dst"], row["prefix"], row["gateway"]) for row in seen["routes"]
    }
    assert sorted((row["protocol"], row["address"], row["port"]) for row in seen["listeners"]) == [
        ("tcp", "127.0.0.1", 8080),
        ("tcp", "::", 8443),
        ("udp", "0.0.0.0", 5353),
    ]
    assert seen["embedded"]["rules"] == {}
    assert seen["inode"] != before == os.stat("/proc/self/ns/net").st_ino
    assert process.ask(live, question("net.links")) == own, "the worker went home"


@root
def test_a_visit_counts_the_rules_of_the_embedded_resolver(live: Live) -> None:
    rules = """
        table ip nat {
            chain DOCKER_OUTPUT {
                ip daddr 127.0.0.11 tcp dport 53 dnat to 127.0.0.11:40001
                ip daddr 127.0.0.11 udp dport 53 dnat to 127.0.0.11:40002
            }
            chain OUTPUT { ip daddr 127.0.0.11 jump DOCKER_OUTPUT; }
        }
        table ip other { chain OUTPUT { accept; }; }
        table ip6 nat { chain OUTPUT { accept; }; }
    """
    with Holder() as pid:
        subprocess.run(
            ["nsenter", "--net", f"--target={pid}", "nft", "-f", "-"],
            input=rules,
            text=True,
            check=True,
        )
        seen = process.ask(live, question("netns", pid=pid, start=start_time(pid), nft=True))
    assert seen["embedded"]["rules"] == {"DOCKER_OUTPUT": 2, "OUTPUT": 1}


@root
def test_sock_diag_and_the_tables_of_proc_agree() -> None:
    program = (
        "from tests.live.network.test_netns_visits import compare_listeners; compare_listeners()"
    )
    with Holder() as pid:
        subprocess.run(
            ["nsenter", "--net", f"--target={pid}", sys.executable, "-c", program],
            check=True,
            cwd=PROJECT,
        )


def compare_listeners() -> None:
    from diagnose.live.network import sockets

    by_netlink = [row for protocol in ("tcp", "udp") for row in sockets.by_netlink(protocol)]
    from_proc = [
        row for table in ("tcp", "tcp6", "udp", "udp6") for row in sockets.from_table(table)
    ]
    assert len(from_proc) == 3
    queues = [{name: row.pop(name) for name in ("waiting", "backlog")} for row in by_netlink[:2]]
    assert [row.pop("v6_only") for row in by_netlink if row["family"] == "inet6"] == [True]
    assert all(queue["waiting"] == 0 < queue["backlog"] for queue in queues)
    assert sorted(by_netlink, key=str) == sorted(from_proc, key=str)


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0000 100 0 0
   10 0 1: 0100007F:1F90 0100007F:D2F0 01 00000000:00000000 00:00000000 00000000   101        0 4712 1 0000 20
   4 30 10 -1
"""
ANY6 = "00000000000000000000000000000000"
TCP6 = f"""\
  sl  local_address remote_address st tx_queue rx_queue tr tm->when retrnsmt uid timeout inode
   0: {ANY6}:0016 {ANY6}:0000 0A 00000000:00000000 00:00000000 00000000 0 0 99
   1: cut short
"""


@pytest.mark.skipif(sys.byteorder != "little", reason="the text is from a little-endian machine")
@pytest.mark.parametrize(
    ("text", "proto", "expected"),
    [
        (TCP, "tcp", [("127.0.0.1", 8080, 101, 4711)]),
        (TCP6, "tcp6", [("::", 22, 0, 99)]),
        ("", "udp", []),
    ],
    ids=["one listener, one connection", "any address of version 6", "empty"],
)
def test_listeners_are_parsed(
    text: str, proto: str, expected: list[tuple[str, int, int, int]]
) -> None:
    from diagnose.live.network import sockets

    rows = list(sockets.parse_table(text.splitlines(), proto))
    assert [(row["address"], row["port"], row["uid"], row["inode"]) for row in rows] == expected


@root
def test_a_worker_is_home_again_whatever_happened_inside(live: Live) -> None:
    own = process.ask(live, question("net.links"))
    with Holder() as pid:
        wrong = question(
            "dns.query", pid=pid, start=None, server="no address", port=53, transport="udp"
        )
        with pytest.raises(Refused, match="not an address"):
            live.helper("network").call("dns.query", wrong.args, 2)
        assert process.ask(live, question("net.links")) == own


@root
def test_another_process_with_the_same_pid_is_not_visited(live: Live) -> None:
    with Holder() as pid, pytest.raises(Refused) as refused:
        process.ask(live, question("netns", pid=pid, start=start_time(pid) - 1, nft=False))
    assert refused.value.failed.reason == "gone"


def test_an_ended_process_is_gone(live: Live) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    with pytest.raises(Refused) as refused:
        process.ask(live, question("netns", pid=ended.pid, start=None, nft=False))
    assert refused.value.failed.reason == "gone"


@root
def test_a_caller_without_privilege_learns_what_lifts_it() -> None:
    program = (
        "from diagnose.live import Live,Refused\nfrom diagnose.live.network import process\n"
        "from tests.questions import question\n"
        "try:\n    process.ask(Live(),question('netns',pid=1,start=None,nft=False))\n"
        "except Refused as error:\n    print(error.failed)\n"
    )
    run = subprocess.run(
        [
            "setpriv",
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            sys.executable,
            "-c",
            program,
        ],
        capture_output=True,
        text=True,
        check=True,
        cwd=PROJECT,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert run.stdout.strip() == (
        "forbidden: a container's network namespace needs CAP_SYS_ADMIN and CAP_SYS_PTRACE: run as root"
    )
