"""network.target-absent: targets in settings, and the containers that have their names."""

from __future__ import annotations

import time
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.dns.resolvers import ResolvConf, Resolvers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.calls.absent_targets import absent_targets
from diagnose.evidence.network.container_netns import ContainerNetns, Namespaces
from diagnose.live.disk.parts.scrape import scrape_targets
from diagnose.model import Unavailable
from diagnose.phrases import unix
from diagnose.questions.sockets import Socket
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge

STARTED = unix("2026-01-02T03:04:05Z") or 0.0
DENIED = {"answered": True, "rcode": "NXDOMAIN", "ms": 1.0}
KNOWN = {"answered": True, "rcode": "NOERROR", "answers": ["192.0.2.9"], "ms": 1.0}
APART = "is on none of its networks"


def _on(network: str, name: str, **parts: Any) -> Container:
    networks = {network: {"NetworkID": network, "IPAddress": "10.1.0.2"}}
    host_config = {"NetworkMode": network}
    settings = {"Networks": networks}
    return container(name, NetworkSettings=settings, HostConfig=host_config, **parts)


def _exporter(network: str = "scrapes", **parts: Any) -> Container:
    return _on(network, "exporter", **parts)


STOPPED: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0}}
CASES: dict[str, tuple[str, Container, dict[str, Any], tuple[str, ...], float, str]] = {
    "what it serves": ("exporter:9100", _exporter(), DENIED, (), 900, ""),
    "another port": ("exporter:80", _exporter(), DENIED, (), 900, "listens at 9100, and not"),
    "another port, just started": ("exporter:80", _exporter(), DENIED, (), 8, ""),
    "another port, while it serves one": ("exporter:80", _exporter(), DENIED, (), 60, "9100, and"),
    "another network": ("exporter:9100", _exporter("other"), DENIED, (), 900, APART),
    "a stopped one": ("exporter:9100", _exporter(**STOPPED), DENIED, (), 900, "is not running"),
    "a name of nobody": ("node:9100", _exporter(), DENIED, (), 900, "no container has that name"),
    "a name that the network knows": ("nas:9100", _exporter(), KNOWN, (), 900, ""),
    "a name that a domain may complete": ("nas:9100", _exporter(), DENIED, ("lan",), 900, ""),
    "a name of several words": ("nas.lan:9100", _exporter(), DENIED, (), 900, ""),
    "an address": ("192.0.2.9:9100", _exporter(), DENIED, (), 900, ""),
    "itself": ("localhost:9090", _exporter(), DENIED, (), 900, ""),
}


@pytest.mark.parametrize(
    ("place", "exporter", "reply", "search", "age_s", "said"), CASES.values(), ids=CASES
)
def test_targets(
    place: str,
    exporter: Container,
    reply: dict[str, Any],
    search: tuple[str, ...],
    age_s: float,
    said: str,
) -> None:
    mount = {"Type": "bind", "Source": "/srv/prometheus.yml", "RW": False}
    mounts = [{**mount, "Destination": "/etc/prometheus/prometheus.yml"}]
    caller = _on("scrapes", "prom", Config={"Image": "prom/prometheus:v3"}, Mounts=mounts)
    host = Made({"file.read": {"text": place}, "dns.query": reply})
    sockets = (Socket("tcp", "0.0.0.0", 9100),)
    netns = ContainerNetns(exporter, 1, links=(), addresses=(), routes=(), listeners=sockets)
    missing = Unavailable("missing")
    resolvers = Resolvers(missing, missing, (), {caller.id: ResolvConf(search=search)})
    clock = Clock(wall=STARTED + age_s, booted=0.0)
    spaces = Namespaces({exporter.id: netns})
    found = absent_targets(host, of(caller, exporter), spaces, resolvers, clock)
    findings = judge("network.target-absent", absent_targets=found).findings
    assert len(findings) == bool(said)
    assert all(said in finding.summary for finding in findings)


GREEN: dict[str, tuple[str, int, str, int]] = {
    "stopped on purpose": ("exporter:9100", 0, "exp:2", 0),
    "crashed": ("exporter:9100", 1, "exp:2", 1),
    "another program": ("exporter:9100", 0, "other:1", 1),
    "no second target": ("nobody:9100", 0, "exp:2", 1),
}


@pytest.mark.parametrize(("second", "code", "image", "count"), GREEN.values(), ids=GREEN)
def test_a_stopped_one_beside_one_that_runs(second: str, code: int, image: str, count: int) -> None:
    mount = {"Type": "bind", "Source": "/srv/prometheus.yml", "RW": False}
    mounts = [{**mount, "Destination": "/etc/prometheus/prometheus.yml"}]
    caller = _on("scrapes", "prom", Config={"Image": "prom/prometheus:v3"}, Mounts=mounts)
    state = {"Status": "exited", "Pid": 0, "ExitCode": code}
    green = _on("scrapes", "green", State=state, Config={"Image": "exp:1"})
    host = Made({"file.read": {"text": f"green:9100\n{second}"}})
    containers = of(caller, green, _exporter(Config={"Image": image}))
    clock = Clock(wall=STARTED, booted=0.0)
    found = absent_targets(host, containers, namespaces=None, resolvers=None, clock=clock)
    assert [target.name for target in found] == ["green"] * count


WORDS: dict[str, tuple[list[str], int]] = {
    "the usual file": (["sleep", "1000"], 1),
    "a file that the command names": (["--config.file=/etc/prometheus/dev.yml"], 1),
    "a file of the image": (["--config.file=/opt/own.yml"], 0),
    "a file that is not there": (["--config.file=/etc/prometheus/other.yml"], 0),
}


@pytest.mark.parametrize(("words", "expected"), WORDS.values(), ids=WORDS)
def test_the_file_that_is_read(words: list[str], expected: int) -> None:
    mounts = [{"Type": "bind", "Source": "/srv/prom", "Destination": "/etc/prometheus"}]
    settings = {"Image": "prom/prometheus:v3", "Cmd": words}
    caller = _on("scrapes", "prom", Config=settings, Mounts=mounts)
    entries = [{"name": name, "type": "file"} for name in ("dev.yml", "prometheus.yml")]
    answers = {"file.list": {"entries": entries}, "file.read": {"text": "exporter:1"}}
    containers = of(caller, _exporter("other"))
    clock = Clock(wall=STARTED, booted=0.0)
    assert (
        len(absent_targets(Made(answers), containers, namespaces=None, resolvers=None, clock=clock))
        == expected
    )


FILES = {
    "a plain job": ("static_configs: [{targets: ['a:1', b]}]", ["a:1", "b:80"]),
    "over TLS": ("scheme: https\n    static_configs: [{targets: [a]}]", ["a:443"]),
    "probed by another": (
        (
            "static_configs: [{targets: [web]}]\n"
            "    relabel_configs: [{target_label: __address__, replacement: 'blackbox:9115'}]"
        ),
        ["blackbox:9115"],
    ),
    "found by files": ("file_sd_configs: [{files: [a.yml]}]", []),
    "addresses of sites": ("static_configs: [{targets: ['https://a.example/']}]", []),
    "through a proxy that knows the names": (
        "proxy_url: http://proxy:80\n    static_configs: [{targets: [laptop]}]", [],
    ),
    "no list": ("static_configs: [{targets: }]", []),
}  # fmt: skip


@pytest.mark.parametrize(("job", "expected"), FILES.values(), ids=FILES)
def test_targets_of_a_file(job: str, expected: list[str]) -> None:
    text = f"scrape_configs:\n  - job_name: a\n    {job}\n"
    assert list(scrape_targets(text)) == expected


def test_lists_of_lists_take_no_time() -> None:
    nested = "".join(f"b{at}: &b{at} [{', '.join([f'*b{at - 1}'] * 9)}]\n" for at in range(1, 30))
    many = ", ".join(["*t"] * 3000)
    text = (
        f"b0: &b0 [x]\n{nested}t: &t {{targets: [*b29, a]}}\nj: &j {{static_configs: [{many}]}}\n"
        f"scrape_configs: [{', '.join(['*j'] * 3000)}]\n"
    )
    began = time.process_time()
    assert set(scrape_targets(text)) <= {"a:80"}
    assert time.process_time() - began < 3


@pytest.mark.parametrize(
    "text", ["", "- a", "scrape_configs: [1]", "scrape_configs: {", "a: &a [*a]"]
)
def test_other_files(text: str) -> None:
    assert list(scrape_targets(text)) == []
