"""`diagnose watch` on a real engine: faults are injected at known seconds, and taken back."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple

import pytest

from diagnose.watch.watcher import FOLLOW_UPS_S
from tests.lab.box import PROJECT, Box
from tests.lab.engines import Engine
from tests.lab.runner import baseline

pytestmark = pytest.mark.timeout(600)

LOG = "/tmp/watch.log"
SEEN_S = 8.0
"""Seconds within which a begin or an end has to be seen on a busy test machine; the figures are
printed."""


class Injected(NamedTuple):
    """A fault, its end, and the root that it makes."""

    fault: str
    cure: str
    id: str


FAULTS = [
    Injected("sysctl -qw net.ipv4.ip_forward=0", "sysctl -qw net.ipv4.ip_forward=1", "firewall.forwarding-off"),
    Injected("iptables -I DOCKER-USER -j DROP", "iptables -D DOCKER-USER -j DROP", "firewall.forward-dropped"),
    Injected("ip link set docker0 down", "ip link set docker0 up", "network.bridge-down"),
    Injected("docker run -d --name=bad {bb} sh -c 'exit 3'", "docker rm -f bad", "container.exits-at-start"),
    Injected(
        "docker run -d --name=hungry -m 8m --memory-swap 8m {bb} tail /dev/zero",
        "docker rm -f hungry",
        "container.oom-killed",
    ),
    Injected(
        "docker create --name=gone {bb} /no/such/program; docker start gone || true", "docker rm -f gone", "container.entrypoint-missing"
    ),
    Injected(
        "docker run -d --name=ill --health-cmd=false --health-interval=1s --health-retries=1 {bb} sleep 1d;"
        " until docker inspect ill | grep -q '\"unhealthy\"'; do sleep 0.1; done",
        "docker rm -f ill",
        "container.unhealthy",
    ),
    Injected(
        "docker run -d --name=clash -p 18099:80 {bb} sleep 1d || true", "docker rm -f clash", "network.port-allocated"
    ),
    Injected(
        "iptables-save -t nat | sed -n '/POSTROUTING.*MASQUERADE/s/^-A/-D/p;' > /run/masquerade;"
        " sed 's/^/iptables -t nat /' /run/masquerade | sh",
        "sed 's/^-D/iptables -t nat -A/' /run/masquerade | sh",
        "firewall.masquerade-missing",
    ),
    Injected(
        "ip route add 10.91.7.0/25 via 192.0.2.1", "ip route del 10.91.7.0/25", "network.subnet-overlaps-route"
    ),
    Injected("ip addr del 10.91.7.1/24 dev br-watched", "ip addr add 10.91.7.1/24 dev br-watched", "network.bridge-down"),
    Injected("ip link set {veth} down", "ip link set {veth} up", "network.veth-detached"),
    Injected(
        "mkdir -p /etc/docker; echo '{{' > /etc/docker/daemon.json", "rm /etc/docker/daemon.json", "daemon.config-invalid"
    ),
    Injected("ip link set {veth} nomaster", "ip link set {veth} master br-watched", "network.veth-detached"),
    Injected(
        "iptables-save > /run/rules; iptables -P FORWARD DROP; iptables -F FORWARD", "iptables-restore < /run/rules",
        "firewall.chains-missing",
    ),
    Injected(
        "iptables-save > /run/rules; iptables-save -t nat | sed -n '/--dport 18099/s/^-A/iptables -t nat -D/p' | sh",
        "iptables-restore < /run/rules", "firewall.dnat-missing",
    ),
    Injected(
        "sysctl -qw net.ipv4.conf.br-watched.forwarding=0", "sysctl -qw net.ipv4.conf.br-watched.forwarding=1",
        "firewall.forwarding-off",
    ),
    Injected("cp /etc/resolv.conf /run/resolv; : > /etc/resolv.conf", "cp /run/resolv /etc/resolv.conf", "dns.no-nameserver"),
    Injected(
        "docker create --name=wrong --entrypoint=/etc {bb}; docker start wrong || true", "docker rm -f wrong", "container.entrypoint-forbidden"
    ),
    Injected(
        "python3 -m http.server 18097 >/dev/null 2>&1 & echo $! > /run/held; sleep 1; docker run -d --name=held -p 18097:80 {bb} sleep 1d || true",
        "docker rm -f held; kill $(cat /run/held)", "network.port-held-by-process",
    ),
]  # fmt: skip


def changes(box: Box) -> list[dict[str, Any]]:
    text = box.read(LOG) if box.path(LOG).exists() else ""
    return [json.loads(line) for line in text.splitlines()]


def seen(box: Box, kind: str, id: str, after: int) -> Any:
    """The first such change behind the first `after` ones."""
    for change in changes(box)[after:]:
        if change["change"] == kind and change["root"]["id"] == id:
            return change
    return None


def moment(text: str) -> float:
    """A time of the log as a Unix time."""
    return datetime.fromisoformat(text).timestamp()


def start_watch(box: Box, *options: str) -> int:
    command = [
        "env", "-C", str(PROJECT), sys.executable, "-m", "diagnose", "watch", "--log", LOG,
        *options,
    ]  # fmt: skip
    return box.spawn(command, log="/tmp/watch.out")


def cpu_seconds(box: Box, pid: int) -> float:
    """Of the watch and the rounds that it has waited for; the process that follows the engine is
    counted by itself."""
    fields = box.path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / 100


def test_roots_begin_and_end(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine()
        baseline(box)
        image = box.image("bb:1.36")
        named = ["-o", "com.docker.network.bridge.name=br-watched"]
        box.docker("network", "create", "--subnet=10.91.7.0/24", *named, "watched")
        steady = ["run", "-d", "--name=steady", "--network=watched", "-p", "18099:80"]
        box.docker(*steady, image, "httpd", "-f", "-p", "80")
        veth = box.sh("ls /sys/class/net/br-watched/brif").split()[0]
        pid = start_watch(box)
        time.sleep(8)
        delays: dict[str, list[float]] = {"begin": [], "onset": [], "end": []}
        for injected in FAULTS:
            before = len(changes(box))
            since = time.time()
            box.sh(injected.fault.format(bb=image, veth=veth))
            at = time.time()
            began = box.wait_for(
                partial(seen, box, "began", injected.id, before), SEEN_S + 4, injected.id
            )
            delays["begin"].append(moment(began["at"]) - at)
            onset = moment(began["root"]["onset"])
            delays["onset"].append(max(since - onset, onset - at, 0.0))
            assert began["root"]["severity"] in ("warning", "critical")
            before = len(changes(box))
            box.sh(injected.cure.format(veth=veth))
            at = time.time()
            ended = box.wait_for(
                partial(seen, box, "ended", injected.id, before),
                SEEN_S + 4,
                f"end of {injected.id}",
            )
            delays["end"].append(moment(ended["at"]) - at)
            figures = ", ".join(f"{name} {seconds[-1]:.1f}" for name, seconds in delays.items())
            print(f"{injected.id}: {figures}")
        expected = {injected.id for injected in FAULTS}
        strange = [
            change
            for change in changes(box)
            if change["change"] == "began" and change["root"]["id"] not in expected
        ]
        idle = cpu_seconds(box, pid)
        time.sleep(20)
        idle = (cpu_seconds(box, pid) - idle) / 20
        for name, seconds in delays.items():
            print(
                f"{name}: median {statistics.median(seconds):.1f} s, most {max(seconds):.1f} s of {len(seconds)}"
            )
        print(f"idle: {idle:.2%} of a core; unexpected: {strange}")
        assert strange == []
        assert max(delays["begin"] + delays["end"]) < SEEN_S + 4


def test_it_survives_a_restart_of_the_engine(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine(config={"live-restore": True})
        baseline(box)
        pid = start_watch(box)
        time.sleep(6)
        box.stop_engine()
        box.wait_for(
            lambda: any(change["change"] == "began" for change in changes(box)),
            what="a root of the dead engine",
        )
        box.start_engine(config={"live-restore": True})
        box.wait_for(lambda: changes(box)[-1]["change"] in ("ended", "explained"), what="its end")
        assert box.alive(pid)


def test_once_ends_with_the_first_root(engine: Engine) -> None:
    with Box(engine) as box:
        box.start_engine()
        image = box.image("bb:1.36")
        quiet = box.diagnose("watch", "-1", "--for", "4s", "--no-probe")
        assert quiet.code == 0, quiet.out + quiet.err
        box.spawn(["sh", "-c", f"sleep 5; docker run -d --name=bad {image} sh -c 'exit 3'"])
        loud = box.diagnose("watch", "-1", "--for", "40s", "--no-probe")
        assert loud.code in (1, 2), loud.out + loud.err
        assert "container.exits-at-start" in loud.out


CHURN_S = float(os.environ.get("DIAGNOSE_CHURN_S", "600"))
STARTS_A_SECOND = 5


@pytest.mark.skipif(not os.environ.get("DIAGNOSE_LAB_LONG"), reason="ten minutes: nightly")
@pytest.mark.timeout(CHURN_S + 300)
def test_no_root_begins_while_containers_come_and_go(engine: Engine) -> None:
    """Jobs that end with 0, five starts a second: each third is made, attached to a network with a
    published port, and removed."""
    with Box(engine) as box:
        box.start_engine()
        baseline(box)
        image = box.image("bb:1.36")
        box.docker("network", "create", "--subnet=10.91.8.0/24", "churned")
        for at in range(20):
            words = ["true"] if at % 2 else ["sleep", "0.3"]
            box.docker("create", f"--name=job{at}", "--log-opt=max-size=1m", image, *words)
        pid = start_watch(box)
        time.sleep(8)
        began = len(changes(box))
        begun_at, before = time.monotonic(), cpu_seconds(box, pid)
        starts: list[bool] = []
        with ThreadPoolExecutor(12) as pool:
            number = 0
            while time.monotonic() < begun_at + CHURN_S:
                starts.extend(pool.map(partial(start_a_job, box, image), range(number, number + 5)))
                number += STARTS_A_SECOND
                due = begun_at + number / STARTS_A_SECOND
                time.sleep(max(0.0, due - time.monotonic()))
        took = time.monotonic() - begun_at
        cpu = (cpu_seconds(box, pid) - before) / took
        time.sleep(30)  # the follow-ups
        print(f"{sum(starts)} starts in {took:.0f} s, {sum(starts) / took:.1f} a second")
        print(f"the watch: {cpu:.0%} of a core; changes: {changes(box)[began:]}")
        assert box.alive(pid)
        assert sum(starts) > 0.9 * len(starts)
        assert [change for change in changes(box)[began:] if change["change"] == "began"] == []


def start_a_job(box: Box, image: str, number: int) -> bool:
    """Whether the engine started it."""
    if number % 3:
        at = f"job{number % 20}"
    else:
        at = f"made{number}"
        ports = {"80/tcp": [{"HostPort": str(20_000 + number % 500)}]}
        host = {"AutoRemove": True, "NetworkMode": "churned", "PortBindings": ports}
        body = {"Image": image, "Cmd": ["sleep", "0.5"], "HostConfig": host}
        box.api(f"/containers/create?name={at}", method="POST", body=body, check=False, timeout=60)
    said = box.api(f"/containers/{at}/start", method="POST", check=False, timeout=60)
    return not said


MANY = 100


@pytest.mark.skipif(not os.environ.get("DIAGNOSE_LAB_LONG"), reason="100 containers: nightly")
def test_it_costs_little_when_nothing_happens(engine: Engine) -> None:
    """CPU seconds of the watch, of its rounds and of its follower of events, by 100 containers.

    The first round and a minute of silence are measured; a full round comes every five minutes.
    """
    with Box(engine) as box:
        box.start_engine()
        image = box.image("bb:1.36")
        run = f"docker run -d --restart=always --name=c{{}} {image} sleep 1d"
        box.sh(f"seq {MANY} | xargs -P 4 -I{{}} {run} >/dev/null", timeout=400)
        pid = start_watch(box)
        box.wait_for(lambda: cpu_seconds(box, pid) > 0.5, what="the first round")
        first = whole(box, pid)
        box.wait_for(partial(is_still, box, pid), 150, "the end of the follow-ups")
        settled = whole(box, pid)
        time.sleep(60)
        idle = (whole(box, pid) - settled) / 60
        print(f"start and first round: {first:.2f} s of CPU; idle: {idle:.3%} of a core")
        print(f"with a full round every 300 s: {idle + first / 300:.2%} of a core at most")
        assert idle < 0.01


def is_still(box: Box, pid: int) -> bool:
    """Whether the watch did nothing for longer than a change has its last follow-up behind it."""
    before = whole(box, pid)
    time.sleep(max(FOLLOW_UPS_S) + 5)
    return whole(box, pid) - before < 0.1


def whole(box: Box, pid: int) -> float:
    """CPU seconds of the watch and of all that it started and that still lives."""
    total = cpu_seconds(box, pid)
    for child in box.sh(f"pgrep -P {pid} || true").split():
        total += cpu_seconds(box, int(child))
    return total
