"""The engine's own resolver, and search domains."""

from __future__ import annotations

import signal

from tests.lab import Box, fault
from tests.lab.runner import healthy_container
from tests.lab.scenarios.dns.helpers import resolves


@fault("dns.embedded-rules-missing", subject="container:flushed", shareable=True)
def nat_flushed_inside(box: Box) -> None:
    """A script in a container's network flushes nat, and the engine's redirection of port 53 with
    it."""
    box.docker("network", "create", "flushnet")
    healthy_container(box, "flushed", 18090, "--net=flushnet")
    assert resolves(box, "flushed")
    pid = box.inspect("flushed")["State"]["Pid"]
    box.run(["nsenter", "-t", str(pid), "-n", "iptables", "-t", "nat", "-F"])
    assert not resolves(box, "flushed")


@fault(
    "dns.embedded-rules-missing",
    subject="container:outlived",
    expect=[("daemon.not-running", "daemon:docker")],
    config={"live-restore": True},
    exit_code=2,
)
def resolver_ended_with_the_engine(box: Box) -> None:
    """dockerd was stopped and a container on a user-defined network lives on: its rules are there,
    the socket behind them is not."""
    box.docker("network", "create", "livenet")
    healthy_container(box, "outlived", 8081, "--net=livenet")
    container = box.inspect("outlived")["State"]["Pid"]
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), what="dockerd to stop")
    inside = ["nsenter", "-t", str(container), "-n"]
    assert "DNAT" in box.run([*inside, "iptables", "-t", "nat", "-S", "DOCKER_OUTPUT"]).stdout
    assert "127.0.0.11" not in box.run([*inside, "ss", "-lnu"]).stdout
    (said,) = (
        f
        for f in box.diagnose("all", "--format", "json").findings
        if f["id"] == "dns.embedded-rules-missing"
    )
    assert "resolver does not listen" in said["summary"], said["summary"]
    assert [cause["id"] for cause in said["caused_by"]] == ["daemon.not-running"], said["caused_by"]


@fault("dns.search-amplified", subject="container:searching", shareable=True)
def many_search_domains(box: Box) -> None:
    """A container tries five domains for each name of up to five dots."""
    search = [f"--dns-search={part}.lab.test" for part in ("a", "b", "c", "d", "e")]
    box.docker(
        "run", "-d", "--name=searching", *search, "--dns-opt=ndots:5", "--memory=64m",
        "--pids-limit=64", "shop:1.4",
    )  # fmt: skip
