"""Engines that wait for a program of the host, which does not end or does not answer."""

from __future__ import annotations

import signal

from tests.lab import Box, fault
from tests.lab.runner import BASE_CONFIG

DAEMON = "daemon:docker"
_LEGACY = "for name in iptables ip6tables; do ln -sf /usr/sbin/$name-legacy /usr/sbin/$name; done"


def _call_of_iptables(box: Box) -> None:
    """Until the engine has waited for an iptables for longer than it ever takes."""
    aged = "ps -o etimes= -C iptables | sort -n | tail -n 1"
    box.wait_for(lambda: int(box.sh(aged).strip() or 0) > 16, what="an iptables that waits")


@fault("daemon.hung", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def lock_of_iptables_held(box: Box) -> None:
    """A program holds the lock of iptables, and the start of a container waits for it."""
    box.sh(_LEGACY)
    box.start_engine(config=BASE_CONFIG)
    box.image("bb:1.36")
    holder = box.spawn(["flock", "/run/xtables.lock", "sleep", "1000"])
    box.wait_for(lambda: f" {holder} " in box.read("/proc/locks"), what="the lock")
    box.spawn(
        ["docker", "run", "-d", "--name=late", "-p=8085:80", "-m=32m", "bb:1.36", "sleep", "1000"]
    )
    _call_of_iptables(box)
    assert box.ping()
    (finding,) = box.diagnose("check", "daemon.hung", "--format", "json").findings
    assert finding["fix"][0]["command"] == f"kill {holder}"


@fault("daemon.hung", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def lock_of_iptables_held_at_the_start(box: Box) -> None:
    """Somebody has stopped an iptables with Ctrl-Z: the engine does not come up."""
    box.sh(_LEGACY)
    holder = box.spawn(["flock", "/run/xtables.lock", "sleep", "1000"])
    box.wait_for(lambda: f" {holder} " in box.read("/proc/locks"), what="the lock")
    box.kill(holder, signal.SIGSTOP)
    box.start_engine(config=BASE_CONFIG, wait=False)
    _call_of_iptables(box)
    assert not box.ping()
    (finding,) = box.diagnose("check", "daemon.hung", "--format", "json").findings
    assert finding["fix"][0]["command"] == f"kill -CONT {holder}"


@fault("daemon.hung", subject=DAEMON, baseline=False, exit_code=1)
def version_that_never_comes(box: Box) -> None:
    """docker-init on the host does not end: /info waits for its version, and containers start."""
    program = box.sh("command -v docker-init").strip()
    box.write(f"{program}.stuck", "#!/bin/sh\nwhile :; do sleep 1; done\n")
    box.sh(
        f"chmod 755 {program}.stuck && mkdir -p /run/stuck && cp {program}.stuck /run/stuck/docker-init"
    )
    box.sh(f"mount --bind /run/stuck/docker-init {program}")
    box.spawn(["docker", "info"])
    aged = "ps -o etimes= -C docker-init | sort -n | tail -n 1"
    box.wait_for(
        lambda: int(box.sh(aged).strip() or 0) > 16, what="a docker-init that does not end"
    )
    report = box.diagnose("check", "daemon.containerd-hung", "--format", "json")
    assert not report.findings


@fault("daemon.hung", subject=DAEMON, engine_started=False, baseline=False, exit_code=2)
def system_bus_stopped(box: Box) -> None:
    """The system's bus takes connections and answers nobody: dockerd asks it about firewalld."""
    box.sh("mkdir -p /run/dbus")
    bus = box.spawn(["dbus-daemon", "--system", "--nofork", "--nopidfile"])
    box.wait_for(lambda: box.path("/run/dbus/system_bus_socket").exists(), what="the bus")
    box.kill(bus, signal.SIGSTOP)
    box.start_engine(config=BASE_CONFIG, wait=False)
    box.wait_for(lambda: "Loading containers: start" in box.log_tail(5), what="its question")
    assert not box.ping()
    (finding,) = box.diagnose("check", "daemon.hung", "--format", "json").findings
    assert finding["fix"][0]["command"] == f"kill -CONT {bus}"
