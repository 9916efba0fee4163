"""Containers that are dead, paused, full of zombies, or without their shim."""

from __future__ import annotations

import signal

from tests.lab import Box, fault, healthy, images
from tests.lab.scenarios.container.helpers import GOOD, LAX, run, wait_log


@fault("container.dead", subject="container:undead")
def removal_fails(box: Box) -> None:
    """A file of a container may not be deleted, so its removal fails half-way."""
    run(box, "undead", *GOOD, "bb:1.36", "sleep", "1000")
    folder = f"/var/lib/docker/containers/{box.inspect('undead')['Id']}"
    box.sh(f"chattr +i {folder}/hostname")
    box.docker("rm", "-f", "undead", check=False)
    assert box.inspect("undead")["State"]["Status"] == "dead"


@fault(
    "container.shim-lost",
    subject="container:orphan",
    # without containerd no container starts again
    also=["daemon.*", "container.unhealthy", "container.start-refused"],
)
def shim_killed_while_containerd_was_down(box: Box) -> None:
    """containerd and a container's shim are killed; the container's process lives on."""
    run(box, "orphan", *GOOD, "bb:1.36", "sleep", "1000")
    inside = box.inspect("orphan")
    shim = next(
        pid
        for pid in box.pids_of("containerd-shim-runc-v2")
        if inside["Id"] in _arguments(box, pid)
    )
    box.kill(box.engine_pid, signal.SIGSTOP)
    box.kill(box.containerd_pid, signal.SIGKILL)
    box.kill(shim, signal.SIGKILL)
    box.kill(box.engine_pid, signal.SIGCONT)
    box.wait_for(lambda: not box.alive(shim), what="the shim to end")
    assert box.alive(inside["State"]["Pid"])


def _arguments(box: Box, pid: int) -> str:
    return box.path(f"/proc/{pid}/cmdline").read_bytes().decode()


@fault("container.paused", subject="container:frozen", shareable=True)
def paused_and_forgotten(box: Box) -> None:
    """A container was paused."""
    run(box, "frozen", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("pause", "frozen")
    assert box.inspect("frozen")["State"]["Status"] == "paused"


@fault("container.zombies", subject="container:undertaker", shareable=True)
def children_not_reaped(box: Box) -> None:
    """A first process that reaps nothing has inherited children that ended."""
    script = "i=0; while [ $i -lt 25 ]; do (sleep 1 &); i=$((i+1)); done; exec sleep 1000"
    run(box, "undertaker", *GOOD, "bb:1.36", "sh", "-c", script)

    def zombies() -> int:
        """A state may have more letters: N says that the box runs at a low priority."""
        return sum(line.startswith("Z") for line in box.sh("ps -eo stat,comm").splitlines())

    box.wait_for(lambda: zombies() >= 20, what="twenty zombies")


@fault("container.ignores-stop-signal", subject="container:deaf", exit_code=0)
def killed_after_its_grace_period(box: Box) -> None:
    """A first process without a handler for SIGTERM waits out its grace period."""
    box.docker("run", "-d", "--name=deaf", "--stop-timeout=1", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("stop", "deaf")
    assert box.inspect("deaf")["State"]["ExitCode"] == 137


_SLOW_TO_STOP = """
test ! -e /tmp/open || echo 'LOG: database system was not properly shut down; recovery in progress'
touch /tmp/open
trap 'echo LOG: received fast shutdown request; echo LOG: shutting down; sleep 30 & wait' TERM
echo LOG: ready to accept connections
while :; do sleep 1 & wait $!; done
"""


@fault("container.killed-in-shutdown", subject="container:ledger-db", exit_code=1)
def killed_while_it_writes_its_memory_to_disk(box: Box) -> None:
    """A database needs longer to stop than it is given, and repairs itself at its next start."""
    words = ("--stop-timeout=2", *LAX, "bb:1.36", "sh", "-c", _SLOW_TO_STOP)
    run(box, "ledger-db", *words)
    wait_log(box, "ledger-db", "ready to accept")
    box.docker("restart", "ledger-db")
    wait_log(box, "ledger-db", "not properly shut down")


@healthy()
def ends_within_its_grace_period(box: Box) -> None:
    """A database takes a second to stop, and says so."""
    words = ("--stop-timeout=20", *LAX, "bb:1.36", "sh", "-c", _SLOW_TO_STOP.replace("30", "1"))
    run(box, "quick-db", *words)
    wait_log(box, "quick-db", "ready to accept")
    box.docker("stop", "quick-db")


@fault("container.no-time-to-stop", subject="container:hasty-db", shareable=True)
def database_is_killed_at_once(box: Box) -> None:
    """A database with a volume is given no second to stop in."""
    images.load(box, "bb:1.36")
    box.docker("tag", "bb:1.36", "postgres:lab")
    words = ("--stop-timeout=0", "--volume=hasty:/data", *LAX, "postgres:lab", "sleep", "1000")
    box.docker("run", "-d", "--name=hasty-db", *words)
    box.docker("restart", "hasty-db")
    kills = box.docker("events", "--since=1m", "--until=0s", "--filter=event=kill").stdout
    assert "signal=15" in kills
    assert "signal=9" in kills


@fault("container.runtime-state-lost", subject="container:swept", also=["container.unhealthy"])
def record_of_the_runtime_swept_away(box: Box) -> None:
    """Something that cleans /run has removed runc's record of a container that runs."""
    run(box, "swept", *GOOD, "--restart=always", "bb:1.36", "sleep", "1000")
    run(box, "kept", *GOOD, "--restart=always", "bb:1.36", "sleep", "1000")
    box.sh(f"rm -r /run/docker/runtime-runc/moby/{box.inspect('swept')['Id']}")
    entered = box.docker("exec", "swept", "true", check=False)
    assert "container does not exist" in entered.stdout + entered.stderr
    assert box.docker("exec", "kept", "true").returncode == 0


@healthy(shareable=True)
def records_of_ended_containers(box: Box) -> None:
    """Of a container that has ended runc keeps no record, and one is stopped while another runs."""
    run(box, "over", *GOOD, "bb:1.36", "true")
    box.wait_state("over", "exited")
    run(box, "on", *GOOD, "bb:1.36", "sleep", "1000")
