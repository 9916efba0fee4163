"""Containers broken for real: killed, looping, refused by the kernel, unhealthy."""

from __future__ import annotations

from typing import Any

from tests.lab import Box, fault, healthy

GOOD = [
    "--memory=64m",
    "--pids-limit=64",
    "--user=1000:1000",
    "--read-only",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]
LAX = [option for option in GOOD if option != "--read-only"]
"""For containers that the page repairs by writing into them."""
EATER = 'held=; while :; do held="$held$(head -c 1000000 /dev/zero | tr "\\0" x)"; done'


def run(box: Box, name: str, *words: str, check: bool = True) -> Any:
    """A detached container with a memory limit, which takes no privilege it does not need."""
    return box.docker("run", "-d", f"--name={name}", *words, check=check)


def events_of(box: Box, name: str, action: str) -> int:
    """How often the engine says that this happened to a container."""
    listed = box.run(
        ["docker", "events", "--since=1h", "--until=0s", f"--filter=container={name}", f"--filter=event={action}"]
    )
    return len(listed.stdout.splitlines())


@fault("container.oom-killed", subject="container:hungry", also=["container.exits-at-start"], shareable=True)
def killed_for_memory(box: Box) -> None:
    """A container reaches its memory limit and the kernel kills its only process."""
    run(box, "hungry", "--memory=16m", "--memory-swap=16m", "--pids-limit=64", "hungry:1")
    # 20.10 loses the flag now and then when the container dies at once
    assert box.wait_state("hungry", "exited")["State"]["ExitCode"] == 137
    assert box.inspect("hungry")["Id"] in box.sh("dmesg | grep oom-kill:")


@fault("container.oom-killed", subject="container:helped", shareable=True)
def killed_for_memory_and_started_again(box: Box) -> None:
    """A container was killed for memory and started again, which erases the engine's flag from 26.1 on."""
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(box, "helped", "--memory=16m", "--memory-swap=16m", "bb:1.36", "sh", "-c", script)
    assert box.wait_state("helped", "exited")["State"]["ExitCode"] == 137
    box.docker("start", "helped")
    assert box.wait_state("helped", "running")["State"]["OOMKilled"] in (False, box.engine.major < 26)


@fault("container.oom-killed", subject="container:parent", shareable=True)
def child_killed_for_memory(box: Box) -> None:
    """The kernel kills a child of a container, whose first process goes on."""
    script = f"(exec sh -c '{EATER}'); sleep 1000"
    run(box, "parent", "--memory=24m", "--memory-swap=24m", "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: events_of(box, "parent", "oom"), what="the kernel to kill the child")
    assert box.inspect("parent")["State"]["Running"]


@fault(
    "container.oom-killed",
    subject="container:report2",
    expect=[("container.restart-loop", "container:report2")],
    shareable=True,
)
def killed_for_memory_over_and_over(box: Box) -> None:
    """A container with a restart policy is killed for memory each time."""
    run(box, "report2", "--restart=always", "--memory=16m", "--memory-swap=16m", "hungry:1")
    box.wait_for(lambda: box.inspect("report2")["RestartCount"] >= 3, timeout=20, what="three restarts")


@fault("container.restart-loop", subject="container:loop", shareable=True)
def fails_over_and_over(box: Box) -> None:
    """A container that fails at once is restarted without end."""
    run(box, "loop", "--restart=always", *GOOD, "bb:1.36", "sh", "-c", "echo 'config: no such key: db.url' >&2; exit 3")
    box.wait_for(lambda: box.inspect("loop")["RestartCount"] >= 4, timeout=20, what="four restarts")


@fault("container.restart-loop", subject="container:ticker", shareable=True)
def succeeds_over_and_over(box: Box) -> None:
    """A job that ends with success under a policy that starts it again."""
    run(box, "ticker", "--restart=always", *GOOD, "bb:1.36", "true")
    box.wait_for(lambda: box.inspect("ticker")["RestartCount"] >= 4, timeout=20, what="four restarts")


@fault("container.restarts-exhausted", subject="container:given-up", shareable=True)
def given_up(box: Box) -> None:
    """A container has failed as often as its policy allows."""
    run(box, "given-up", "--restart=on-failure:2", *GOOD, "bb:1.36", "sh", "-c", "echo 'no licence file'; exit 4")
    box.wait_for(lambda: box.inspect("given-up")["RestartCount"] == 2, timeout=20, what="two restarts")
    assert box.wait_state("given-up", "exited")["State"]["ExitCode"] == 4


@fault("container.exits-at-start", subject="container:early", shareable=True)
def exits_at_once(box: Box) -> None:
    """A program ends with an error as soon as it is started."""
    run(box, "early", *GOOD, "bb:1.36", "sh", "-c", "echo 'listen: bad address in config' >&2; exit 1")
    assert box.wait_state("early", "exited")["State"]["ExitCode"] == 1


@fault(
    "container.exec-format",
    subject="container:foreign",
    expect=[("container.exits-at-start", "container:foreign")],
    shareable=True,
)
def built_for_another_machine(box: Box) -> None:
    """The program in the image is an ELF file for another architecture."""
    run(box, "foreign", *GOOD, "foreign:1", check=False)
    box.wait_for(lambda: "exec format error" in box.docker("logs", "foreign").stderr, what="the kernel's refusal")


@fault("container.exec-format", subject="container:bare", also=["container.exits-at-start"], shareable=True)
def script_without_interpreter_line(box: Box) -> None:
    """The program in the image is a script that does not say what runs it."""
    run(box, "bare", *LAX, "noshebang:1", check=False)
    box.wait_for(lambda: "exec format error" in box.docker("logs", "bare").stderr, what="the kernel's refusal")


@fault("container.interpreter-missing", subject="container:dos", also=["container.exits-at-start"], shareable=True)
def script_with_dos_line_ends(box: Box) -> None:
    """The `#!` line of a script ends in a carriage return."""
    run(box, "dos", *LAX, "crlf:1", check=False)
    box.wait_for(lambda: "no such file" in box.docker("logs", "dos").stderr, what="the kernel's refusal")


@fault("container.interpreter-missing", subject="container:snake", also=["container.exits-at-start"], shareable=True)
def script_for_a_missing_interpreter(box: Box) -> None:
    """A script needs an interpreter that the image does not have."""
    run(box, "snake", *GOOD, "nointerp:1", check=False)
    box.wait_for(lambda: "no such file" in box.docker("logs", "snake").stderr, what="the kernel's refusal")


@fault("container.entrypoint-missing", subject="container:noentry", shareable=True)
def program_that_is_not_there(box: Box) -> None:
    """The image does not have the program that it names."""
    run(box, "noentry", *GOOD, "noentry:1", check=False)
    assert box.inspect("noentry")["State"]["ExitCode"] == 127


@fault("container.entrypoint-forbidden", subject="container:noexec", shareable=True)
def program_without_execute_bit(box: Box) -> None:
    """The program in the image may not be executed."""
    run(box, "noexec", *LAX, "noexecbit:1", check=False)
    assert box.inspect("noexec")["State"]["ExitCode"] == 126


def _unhealthy(box: Box, name: str, probe: str, *options: str) -> None:
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2", *options]
    run(box, name, *GOOD, *health, "bb:1.36", "sleep", "1000")
    box.wait_for(lambda: box.inspect(name)["State"]["Health"]["Status"] == "unhealthy", what=f"{name} to be unhealthy")


@fault("container.unhealthy", subject="container:sick", shareable=True)
def probe_fails(box: Box) -> None:
    """The application does not answer its health check; a restart would help it."""
    probe = "test -e /tmp/alive || { echo 'connect to 127.0.0.1:9: Connection refused' >&2; exit 1; }"
    health = [f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=2"]
    run(box, "sick", *GOOD, "--tmpfs=/tmp", *health, "bb:1.36", "sh", "-c", "touch /tmp/alive; exec sleep 1000")
    box.wait_for(lambda: box.inspect("sick")["State"]["Health"]["Status"] == "healthy", what="sick to be healthy")
    box.docker("exec", "sick", "rm", "/tmp/alive")
    box.wait_for(lambda: box.inspect("sick")["State"]["Health"]["Status"] == "unhealthy", what="sick to be unhealthy")


@fault("container.unhealthy", subject="container:drowsy", shareable=True)
def probe_takes_too_long(box: Box) -> None:
    """The health check does not end within its timeout."""
    _unhealthy(box, "drowsy", "sleep 9", "--health-timeout=1s")
    assert box.inspect("drowsy")["State"]["Health"]["Log"][-1]["ExitCode"] == -1


@fault("container.unhealthy", subject="container:unprobed", shareable=True)
def probe_cannot_run(box: Box) -> None:
    """The image does not have the tool that the health check calls."""
    _unhealthy(box, "unprobed", "curl -f http://127.0.0.1:8080/")
    assert box.inspect("unprobed")["State"]["Health"]["Log"][-1]["ExitCode"] == 127


@healthy(shareable=True)
def had_its_limit_raised(box: Box) -> None:
    """A container was killed for memory, got more of it, and runs."""
    script = f"[ -e /tmp/second ] && exec sleep 1000; touch /tmp/second; {EATER}"
    run(box, "raised", "--memory=16m", "--memory-swap=16m", "--pids-limit=64", "bb:1.36", "sh", "-c", script)
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


@healthy(shareable=True)
def jobs_that_failed_in_the_foreground(box: Box) -> None:
    """A one-shot command failed before the eyes of who ran it, and a one-off run of compose did."""
    box.docker("run", "--name=grep", *GOOD, "bb:1.36", "false", check=False)
    label = "--label=com.docker.compose.oneoff=True"
    run(box, "oneoff", *GOOD, label, "bb:1.36", "false")
    box.wait_state("oneoff", "exited")
