"""Programs that go into the background, are stopped, or end with their host."""

from __future__ import annotations

import time

from tests.lab import Box, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, run


@fault("container.daemonized", subject="container:forker", shareable=True)
def server_in_the_background(box: Box) -> None:
    """busybox httpd without -f goes into the background, and the container ends with 0 at once."""
    run(
        box, "forker", *GOOD, "-p", "127.0.0.1:8971:8080", "bb:1.36", "httpd", "-p", "8080", "-h",
        "/www",
    )  # fmt: skip
    assert box.wait_state("forker", "exited")["State"]["ExitCode"] == 0


@fault("container.daemonized", subject="container:tagger", shareable=True)
def server_that_waits_for_a_key(box: Box) -> None:
    """A program runs until somebody presses Enter, and its container has no input."""
    serves = "echo Press Enter to stop the program...; read -r key; exit 0"
    run(box, "tagger", *GOOD, "-p", "127.0.0.1:8972:8080", "bb:1.36", "sh", "-c", serves)
    assert box.wait_state("tagger", "exited")["State"]["ExitCode"] == 0
    assert first_command(box, "container.daemonized", "tagger") == (
        "diagnose recreate tagger -- --interactive --tty | sh"
    )


@fault("container.exits-at-start", subject="container:hushed", shareable=True)
def server_that_ends_with_0_on_an_error(box: Box) -> None:
    """The start script of a server prints what is wrong, and loses the exit code."""
    says = "echo 'Error: invalid configuration: unknown key colour in /etc/app.yml'; exit 0"
    run(box, "hushed", *GOOD, "-p", "127.0.0.1:8975:8080", "bb:1.36", "sh", "-c", says)
    assert box.wait_state("hushed", "exited")["State"]["ExitCode"] == 0


@fault("container.first-process-stopped", subject="container:halted", shareable=True)
def first_process_that_was_stopped(box: Box) -> None:
    """The first process of a container got SIGSTOP and never SIGCONT."""
    run(box, "halted", *GOOD, "bb:1.36", "sleep", "1000")
    pid = box.wait_state("halted", "running")["State"]["Pid"]
    box.sh(f"kill -STOP {pid}")
    box.wait_for(
        lambda: "T (stopped)" in box.sh(f"cat /proc/{pid}/status"), what="the process to stop"
    )


_HOLDS = """
import os, signal, sys, time
while True:
    os.kill(int(sys.argv[2]), signal.SIGSTOP)
    time.sleep(0.45)
    os.kill(int(sys.argv[2]), signal.SIGCONT)
    time.sleep(0.05)
"""
"""What cpulimit does to a process."""


@fault("container.first-process-stopped", subject="container:slowed")
def first_process_that_cpulimit_holds(box: Box) -> None:
    """A program of the host's, called cpulimit, stops and resumes a server in turns."""
    run(box, "slowed", *GOOD, "bb:1.36", "httpd", "-f", "-p", "8080")
    pid = box.wait_state("slowed", "running")["State"]["Pid"]
    box.write("/srv/limit.py", _HOLDS)
    box.sh("cp $(readlink -f /usr/bin/python3) /usr/local/bin/cpulimit")
    limiter = box.spawn(["/usr/local/bin/cpulimit", "/srv/limit.py", "-p", str(pid)])
    box.wait_for(
        lambda: "T (stopped)" in box.sh(f"cat /proc/{pid}/status"), what="the process to stop"
    )
    check = "container.first-process-stopped"
    assert first_command(box, check, "slowed") == f"kill {limiter}"


@fault("container.first-process-stopped", subject="container:stilled", shareable=True)
def server_behind_a_script_that_was_stopped(box: Box) -> None:
    """The server that a start script has started got SIGSTOP; the script waits for it."""
    script = "httpd -f -p 8080 -h /www & wait"
    run(box, "stilled", *GOOD, "bb:1.36", "sh", "-c", script)
    first = box.wait_state("stilled", "running")["State"]["Pid"]
    box.wait_for(
        lambda: box.run(["pgrep", "-P", str(first)], check=False).stdout, what="the server"
    )
    pid = box.sh(f"pgrep -P {first}").split()[0]
    box.sh(f"kill -STOP {pid}")
    box.wait_for(
        lambda: "T (stopped)" in box.sh(f"cat /proc/{pid}/status"), what="the server to stop"
    )


@healthy(shareable=True)
def job_that_somebody_stopped_in_a_shell(box: Box) -> None:
    """A shell of `docker exec` has a job in the background that is stopped."""
    run(box, "visited", *GOOD, "bb:1.36", "sleep", "1000")
    box.wait_state("visited", "running")
    script = "sleep 900 & kill -STOP $!; sleep 900"
    box.docker("exec", "-d", "visited", "sh", "-c", script)
    stopped = "docker top visited -o pid,stat,args | grep -q ' T[^ ]* .*sleep 900'"
    box.wait_for(lambda: box.run(["sh", "-c", stopped], check=False).returncode == 0, what="a job")


@fault("container.first-process-stopped", subject="container:iced", shareable=True)
def group_frozen_from_outside(box: Box) -> None:
    """Something beside the engine froze a container's control group, and the engine says
    "running"."""
    run(box, "iced", *GOOD, "bb:1.36", "sleep", "1000")
    pid = box.wait_state("iced", "running")["State"]["Pid"]
    folder = box.sh(f"awk -F: '$2 == \"freezer\" {{print $3}}' /proc/{pid}/cgroup").strip()
    if folder:
        switch, word = f"/sys/fs/cgroup/freezer{folder}/freezer.state", "FROZEN"
    else:
        folder = box.sh(f"awk -F: '$1 == 0 {{print $3}}' /proc/{pid}/cgroup").strip()
        switch, word = f"/sys/fs/cgroup{folder}/cgroup.freeze", "1"
    box.sh(f"echo {word} >{switch}")
    box.wait_for(lambda: box.sh(f"cat {switch}").strip() == word, what="the group to freeze")
    assert box.inspect("iced")["State"]["Status"] == "running"


@fault(
    "container.lost-with-host",
    subject="host:host",
    also=["container.crashed", "container.exits-at-start"],
)
def engine_and_containers_killed_together(box: Box) -> None:
    """The engine, its shims and its containers are killed at once, as by a power loss, and the
    engine starts again."""
    for number in range(3):
        run(
            box, f"lost{number}", *GOOD, "-p", f"127.0.0.1:{8980 + number}:8080", "bb:1.36",
            "httpd", "-f", "-p", "8080", "-h", "/www",
        )  # fmt: skip
        box.wait_state(f"lost{number}", "running")
    time.sleep(2)
    pids = [box.inspect(f"lost{number}")["State"]["Pid"] for number in range(3)]
    for pid in (
        *box.pids_of("dockerd"),
        *box.pids_of("containerd"),
        *box.pids_of("containerd-shim"),
        *pids,
    ):
        box.sh(f"kill -9 {pid} 2>/dev/null || true")
    box.start_engine(config=BASE_CONFIG)
    assert [box.inspect(f"lost{number}")["State"]["Status"] for number in range(3)] == [
        "exited"
    ] * 3


@fault("container.crashed", subject="container:tool")
def one_program_that_went_down_with_the_engine(box: Box) -> None:
    """Its run of seconds was cut off with the engine, and looks like a start that failed."""
    run(box, "tool", *GOOD, "bb:1.36", "sleep", "1000")
    box.wait_state("tool", "running")
    time.sleep(2)
    own = box.inspect("tool")["State"]["Pid"]
    for name in ("dockerd", "containerd", "containerd-shim"):
        for pid in box.pids_of(name):
            box.sh(f"kill -9 {pid} 2>/dev/null || true")
    box.sh(f"kill -9 {own} 2>/dev/null || true")
    box.start_engine(config=BASE_CONFIG)
    state = box.inspect("tool")["State"]
    assert (state["Status"], state["ExitCode"]) == ("exited", 255), state


BEHIND = {
    "dos": (b"#!/bin/sh\r\necho started\r\n", 0o755),
    "plain": (b"#!/bin/sh\nexec sleep 1000\n", 0o644),
    "strange": (b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16" + bytes(4076), 0o755),
}


@fault(
    "container.interpreter-missing",
    subject="container:behind-dos",
    expect=[
        ("container.interpreter-missing", "container:behind-glibc"),
        ("container.entrypoint-forbidden", "container:behind-plain"),
        ("container.entrypoint-forbidden", "container:as-command"),
        ("container.entrypoint-missing", "container:behind-nothing"),
    ],
    also=["container.exits-at-start", "container.exec-format"],
    shareable=True,
    first_command=("heals", "the first of its containers; the others are faults of their own"),
)
def programs_behind_a_shell(box: Box) -> None:
    """The shell of an entrypoint meets a CRLF script, a glibc program without its loader, a file
    without an x bit, and nothing at all.

    And an image without an entrypoint takes the argument, a mounted folder, as the command.
    """
    files = {**BEHIND, "glibc": (box.path("/usr/bin/env").read_bytes(), 0o755)}
    load(box, "behind:1", Recipe(files=files, changes=('ENTRYPOINT ["sh","-c"]',)))
    for name in ("dos", "glibc", "plain", "nothing"):
        run(box, f"behind-{name}", *GOOD, "behind:1", f"/{name}; exit $?")
        box.wait_state(f"behind-{name}", "exited")
    box.docker(
        "run", "-d", "--name=as-command", *GOOD, "-v", "/srv/volume:/data", "bb:1.36", "/data",
        check=False,
    )  # fmt: skip
    assert box.inspect("as-command")["State"]["ExitCode"] == 126


_LIMITS = '[thresholds."container.open-files-unbounded"]\nhuge = 15000\nleast = 1\nsystem = 4\n'
_CLOSE_ALL = """
import os, resource
while True:
    for descriptor in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        try:
            os.close(descriptor)
        except OSError:
            pass
"""


@fault("container.open-files-unbounded", subject="container:closer", also=["resources.*"])
def program_that_closes_all_descriptors(box: Box) -> None:
    """A program closes every descriptor that it may have, over and over; a billion is beyond this
    machine, so the bounds are lowered."""
    box.write("/etc/diagnose/lab.toml", _LIMITS)
    options = [
        "--network=none", "--memory=64m", "--pids-limit=64", "--ulimit=nofile=20000:20000",
        *MACHINE,
    ]  # fmt: skip
    run(box, "closer", *options, "bb:1.36", "/usr/bin/python3", "-c", _CLOSE_ALL)
    box.wait_state("closer", "running")
    time.sleep(8)
