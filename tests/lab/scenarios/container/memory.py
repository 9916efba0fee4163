"""Containers that the kernel killed for their memory, and those that had more given to them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.container.helpers import GOOD, run

EATER = 'i=0; held=; while [ $i -lt 13 ]; do i=$((i+1)); held="$held$(head -c 1000000 /dev/zero | tr "\\0" x)"; done'
"""A shell that needs about 28 MB in the end: more than 16, less than 32 (measured with busybox
1.35)."""


def events_of(box: Box, name: str, action: str) -> int:
    """How often the engine says that this happened to a container."""
    listed = box.run(
        [
            "docker",
            "events",
            "--since=1h",
            "--until=0s",
            f"--filter=container={name}",
            f"--filter=event={action}",
        ]
    )
    return len(listed.stdout.splitlines())


@fault(
    "container.oom-killed",
    subject="container:hungry",
    also=["container.exits-at-start"],
    shareable=True,
)
def killed_for_memory(box: Box) -> None:
    """A container reaches its memory limit and the kernel kills its only process."""
    options = ["--memory=16m", "--memory-swap=16m", "--pids-limit=64"]
    run(box, "hungry", *options, "bb:1.36", "sh", "-c", f"{EATER}; sleep 1000")
    # 20.10 loses the flag now and then when the container dies at once
    assert box.wait_state("hungry", "exited")["State"]["ExitCode"] == 137
    assert box.inspect("hungry")["Id"] in box.sh("dmesg | grep oom-kill:")


@fault("container.oom-killed", subject="container:helped")
def killed_for_memory_and_started_again(box: Box) -> None:
    """A container was killed for memory and started again, which erases the engine's flag from 26.1
    on.

    Alone: beside many others events and kernel lines of it are soon pushed out.
    """
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(box, "helped", "--memory=16m", "--memory-swap=16m", "bb:1.36", "sh", "-c", script)
    assert box.wait_state("helped", "exited")["State"]["ExitCode"] == 137
    box.docker("start", "helped")
    assert box.wait_state("helped", "running")["State"]["OOMKilled"] in (
        False,
        box.engine.major < 26,
    )


@fault("container.oom-killed", subject="container:parent", shareable=True)
def child_killed_for_memory(box: Box) -> None:
    """The kernel kills a child of a container, whose first process continues."""
    script = f"(exec sh -c '{EATER}'); sleep 1000"
    run(box, "parent", "--memory=16m", "--memory-swap=16m", "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: events_of(box, "parent", "oom"), what="the kernel to kill the child")
    assert box.inspect("parent")["State"]["Running"]


@fault(
    "container.oom-killed",
    subject="container:report2",
    expect=[("container.restart-loop", "container:report2")],
    shareable=True,
    first_command=("half", "the program takes all that it is given"),
)
def killed_for_memory_over_and_over(box: Box) -> None:
    """A container with a restart policy is killed for memory each time."""
    options = ["--restart=always", "--memory=16m", "--memory-swap=16m", "--pids-limit=64"]
    run(box, "report2", *options, "bb:1.36", "sh", "-c", f"{EATER}; sleep 1000")
    box.wait_for(lambda: box.inspect("report2")["RestartCount"] >= 3, what="three restarts")


@healthy(shareable=True)
def had_its_limit_raised(box: Box) -> None:
    """A container was killed for memory, got more of it, and runs."""
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(
        box, "raised", "--memory=16m", "--memory-swap=16m", "--pids-limit=64", "bb:1.36", "sh",
        "-c", script,
    )  # fmt: skip
    box.wait_state("raised", "exited")
    box.docker("update", "--memory=64m", "--memory-swap=64m", "raised")
    box.docker("start", "raised")
    box.wait_state("raised", "running")


@healthy(shareable=True)
def killed_by_hand(box: Box) -> None:
    """A container was killed with SIGKILL by its user: exit 137, and no OOM."""
    run(box, "shot", *GOOD, "bb:1.36", "sleep", "1000")
    box.docker("kill", "shot")
    assert box.wait_state("shot", "exited")["State"]["ExitCode"] == 137
