"""Engine 29 as its recorded hosts have it, with its two firewall backends and containerd's image
store.

The recordings lack what nobody asked then; where a test needs such an answer it adds that of a
healthy host by name.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from diagnose import registry
from diagnose.judgement import engine
from diagnose.model import Failed, Json, Report, Severity, Verdict
from diagnose.questions import AnyQuestion
from diagnose.recording import answer_files
from diagnose.recording.budget import Budget
from diagnose.recording.recorder import RecordedAnswer, Replay
from tests.questions import question

FIXTURES = Path(__file__).parents[2] / "fixtures"
BRIDGES = {"iptables": "br-ed21d7087ca4", "nftables": "br-b555eb9aea54"}
FAULTS = {
    "container.entrypoint-missing@container:gateway",
    "container.oom-killed@container:report",
    "container.restart-loop@container:billing",
    "network.port-allocated@container:clash#8090",
}
GIB = 1024**3

both = pytest.mark.parametrize("backend", BRIDGES)


def judged(backend: str, more: Mapping[AnyQuestion, Json | Failed], *ids: str) -> Report:
    entries, _ = answer_files.read_folder(FIXTURES / f"engine29.{backend}")
    entries.update({asked: RecordedAnswer(answer) for asked, answer in more.items()})
    known = registry.load()
    what = engine.Run(known, ids or tuple(known), source="bundle")
    return engine.run(
        Replay(entries), what, began=time.monotonic(), budget=Budget(time.monotonic() + 60)
    )


def healthy(backend: str, forwarded: str = "1") -> dict[AnyQuestion, Json | Failed]:
    """What a healthy host of this kind says of legacy tables, forwarding, and where the engine
    is."""
    ways = [f"net/ipv4/conf/{name}/forwarding" for name in ("docker0", BRIDGES[backend], "up0")]
    settings = ["net.ipv4.ip_forward", "net.bridge.bridge-nf-call-iptables", *ways]
    units = ("docker.service", "docker.socket", "containerd.service")
    return {
        **{
            question("iptables", flavour="legacy", family=family): {"text": "", "command": None}
            for family in ("ip", "ip6")
        },
        question("sysctl", names=list(settings)): dict.fromkeys(settings, forwarded),
        question("endpoint"): {
            "url": "unix:///var/run/docker.sock",
            "scheme": "unix",
            "source": "default socket",
        },
        question("locality"): {"same_host": True, "why": "peer credentials", "engine_pid": None},
        **{question("unit", name=unit): Failed("missing", "no systemd") for unit in units},
    }


def verdicts(report: Report, family: str) -> dict[str, str]:
    return {
        result.check.id: result.verdict.value
        for result in report.results
        if result.check.id.startswith(f"{family}.")
    }


@both
def test_nothing_but_the_faults_of_the_host(backend: str) -> None:
    report = judged(backend, {})
    assert {
        finding.key for finding in report.findings if finding.severity > Severity.advice
    } == FAULTS
    assert not [result.check.id for result in report.results if result.verdict is Verdict.CRASHED]
    assert not [result.why for result in report.results if "malformed" in result.why]


@both
def test_no_false_alarm_of_the_packet_filter_and_the_daemon(backend: str) -> None:
    report = judged(backend, healthy(backend))
    assert {
        finding.key for finding in report.findings if finding.severity > Severity.advice
    } == FAULTS
    assert verdicts(report, "firewall") == {
        "firewall.arp-dropped": "skipped",
        "firewall.backend-mixed": "passed",
        "firewall.ban-bypassed": "skipped",
        "firewall.between-containers": "skipped",
        "firewall.bridge-filter-off": "skipped",
        "firewall.bypassed-by-publish": "passed",
        "firewall.chains-missing": "passed",
        "firewall.closed-over-ipv6": "skipped",
        "firewall.closed-to-public": "passed",
        "firewall.direct-access-dropped": "passed",
        "firewall.dnat-missing": "passed",
        "firewall.dnat-stale": {"iptables": "passed", "nftables": "skipped"}[backend],
        # recorded before rules inside containers were read
        "firewall.dropped-inside-container": "unknown",
        "firewall.forward-dropped": "passed",
        "firewall.forwarding-off": "passed",
        # recorded before packets that a container does not forward were counted
        "firewall.forwarding-off-inside": "unknown",
        # recorded before listeners of the host were walked to
        "firewall.host-port-closed": "unknown",
        "firewall.input-dropped": "skipped",
        "firewall.kill-switch": "passed",
        "firewall.limit-exceeded": "passed",
        "firewall.masquerade-missing": "passed",
        # recorded before the host's ARP table was read
        "firewall.neighbour-banned": "unknown",
        "firewall.neighbour-discovery-dropped": "skipped",
        "firewall.neighbours-translated": "skipped",
        "firewall.other-bridges-cut-off": "skipped",
        "firewall.opened-by-host-port": "passed",
        "firewall.opened-for-former-address": "passed",
        "firewall.other-tables": "skipped",
        "firewall.output-dropped": "passed",
        "firewall.overlay-lost": "skipped",
        "firewall.podman-rules-missing": "skipped",
        "firewall.ping-dropped": "skipped",
        "firewall.published-port-closed": "passed",
        "firewall.redirected-to-nobody": "passed",
        "firewall.tunnel-untranslated": "unknown",
    }
    assert verdicts(report, "daemon")["daemon.engine-outdated"] == "passed"


@both
def test_rules_that_are_gone_are_missed(backend: str) -> None:
    flushed: dict[AnyQuestion, Any] = {
        question("nftables"): {
            "loaded": True, "byteorder": "little", "generation": 9, "consistent": True,
            "tables": [], "chains": [], "rules": [], "sets": [],
        },
        question("iptables", flavour="nft", family="ip"): {"text": "", "command": None},
    }  # fmt: skip
    said = verdicts(judged(backend, healthy(backend) | flushed), "firewall")
    assert said["firewall.chains-missing"] == "found"
    assert (
        verdicts(judged(backend, healthy(backend, "0")), "firewall")["firewall.forwarding-off"]
        == "found"
    )


@both
def test_what_fills_the_disk_by_the_engine_s_own_figures(backend: str) -> None:
    """/system/df of API 1.55 with verbose=true, of images that lie in containerd's store."""
    full = {
        "point": "/var/lib/docker", "fstype": "ext4", "source": "/dev/vdb", "size": 100 * GIB, "used": 97 * GIB,
        "free": 3 * GIB, "available": 3 * GIB, "reserved": 0, "inodes": 9, "inodes_free": 8, "dev": "7:1",
        "read_only": False,
    }  # fmt: skip
    report = judged(
        backend, {question("fs.usage", path="/var/lib/docker"): full}, "storage.disk-full"
    )
    (found,) = report.findings
    parts = {part["name"]: part["bytes"] for part in found.finding.evidence["attribution"]}
    written, images = 5 * 4096, {"iptables": 3247628, "nftables": 3247634}[backend]
    assert parts == {
        "images": images,
        "writable layers": written,
        "other": 97 * GIB - images - written,
    }
