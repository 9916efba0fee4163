"""Services that ended after they had worked, and ends that somebody asked for."""

from __future__ import annotations

import functools
import signal
import time

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.container.helpers import GOOD, LAX, run
from tests.lab.scenarios.deploys import labels
from tests.lab.scenarios.everyday.helpers import first_command


@fault("container.crashed", subject="container:lease", shareable=True)
def service_that_ended_after_it_had_worked(box: Box) -> None:
    """A service without a restart policy works for some seconds and fails; the second run would
    not."""
    script = "[ -e /tmp/n ] && exec httpd -f -p 80; touch /tmp/n; sleep 11; echo 'lost the lease' >&2; exit 1"
    run(box, "lease", *LAX, "--publish=8391:80", "bb:1.36", "sh", "-c", script)
    assert box.wait_state("lease", "exited")["State"]["ExitCode"] == 1


def _crash(box: Box) -> str:
    """What is said of the one container that crashed."""
    (finding,) = box.diagnose("check", "container.crashed", "--format", "json").findings
    return str(finding["summary"])


@fault("container.crashed", subject="container:fallen")
def service_that_fell_with_the_engine(box: Box) -> None:
    """The engine was restarted: a service without a restart policy ended well, and is not there any
    more. The package manager's log says why."""
    script = "trap 'exit 0' TERM; touch /tmp/ready; sleep 1000 & wait"
    run(
        box, "fallen", *LAX, "--init", "--stop-timeout=10", "--publish=8393:80", "bb:1.36", "sh",
        "-c", script,
    )  # fmt: skip
    box.wait_for(
        lambda: not box.docker("exec", "fallen", "ls", "/tmp/ready", check=False).returncode,
        what="its trap",
    )
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), what="the engine to end")
    ended = box.sh("date '+%F %T'").strip()
    box.start_engine()
    box.sh("rm -f /var/log/dpkg.log")
    assert "upgrade" not in _crash(box)
    # as dpkg writes it, when the engine's package is upgraded at night
    box.write("/var/log/dpkg.log", f"{ended} upgrade docker.io:amd64 28.5.1+dfsg-1 28.5.2+dfsg-1\n")
    assert "when an upgrade (docker.io 28.5.1 to 28.5.2) restarted the engine" in _crash(box)
    assert box.inspect("fallen")["State"]["ExitCode"] == 0
    box.wait_health("web", "healthy")


@fault("container.crashed", subject="container:mailer")
def worker_that_fell_with_the_engine(box: Box) -> None:
    """A worker that publishes nothing had run for long when the engine was restarted, and has no
    restart policy. The engine's log of that time is gone, as at a reboot with a journal in memory;
    a container that came back tells of it."""
    box.write("/etc/diagnose/lab.toml", '[thresholds."container.crashed"]\nlasting = 2\n')
    wait = ("bb:1.36", "sh", "-c", "trap 'exit 0' TERM; sleep 1000 & wait")
    for name, policy in (("mailer", "no"), ("beside", "unless-stopped")):
        run(box, name, *LAX, f"--restart={policy}", "--stop-timeout=10", *wait)
    box.sh("sleep 12")
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), what="the engine to end")
    box.sh("rm /var/log/docker.log; sleep 2")
    box.start_engine()
    box.wait_state("beside", "running")
    assert 'was not restarted: its restart policy is "no"' in _crash(box)


@fault("container.crashed", subject="container:depot-web-1")
def project_that_fell_with_the_engine(box: Box) -> None:
    """The engine was restarted, and no container of a project has a restart policy: one finding,
    whose first command starts the database first and lasts beyond the next restart."""
    script = "trap 'exit 0' TERM; touch /tmp/ready; sleep 1000 & wait"
    for service, waits in (("db", ""), ("web", "db:service_started:false")):
        port = ("--publish=8394:80",) if service == "web" else ()
        marks = (*labels("depot", service, depends_on=waits), f"--name=depot-{service}-1")
        box.docker(
            *("run", "-d", *LAX, "--init", "--stop-timeout=10", *marks, *port),
            *("bb:1.36", "sh", "-c", script),
        )
    for service in ("db", "web"):
        ready = ("exec", f"depot-{service}-1", "ls", "/tmp/ready")
        box.wait_for(functools.partial(_works, box, *ready), what=f"the trap of service {service}")
    _restart_engine(box)
    command = first_command(box, "container.crashed", "depot-web-1")
    assert "depot-db-1 depot-web-1" in command
    assert box.sh(command).split()[1::2] == ["depot-db-1", "depot-web-1"]
    assert not box.diagnose("check", "container.crashed", "--format", "json").findings
    for service in ("db", "web"):
        policy = box.inspect(f"depot-{service}-1")["HostConfig"]["RestartPolicy"]["Name"]
        assert policy == "unless-stopped"
        box.docker("update", "--restart=no", f"depot-{service}-1")
    _restart_engine(box)


def _restart_engine(box: Box) -> None:
    """End the engine as a service manager does, and start it."""
    engine = box.engine_pid
    box.kill(engine, signal.SIGTERM)
    box.wait_for(lambda: not box.alive(engine), what="the engine to end")
    box.start_engine()


def _works(box: Box, *command: str) -> bool:
    return not box.docker(*command, check=False).returncode


@fault("container.no-restart-policy", subject="container:fragile", shareable=True, exit_code=0)
def service_without_policy(box: Box) -> None:
    """A service with a health check and no restart policy."""
    run(box, "fragile", *GOOD, "--health-cmd=true", "bb:1.36", "sleep", "1000")


@healthy()
def service_stopped_by_hand_that_ends_with_an_error(box: Box) -> None:
    """A service was stopped and ends with exit code 1, and the engine was started again since: its
    events are lost."""
    script = "trap 'exit 1' TERM; sleep 1000 & wait"
    run(box, "polite", *GOOD, "--init", "--publish=8392:80", "bb:1.36", "sh", "-c", script)
    time.sleep(11)  # long enough to have worked
    box.docker("stop", "-t", "5", "polite")
    assert box.inspect("polite")["State"]["ExitCode"] == 1
    box.stop_engine()
    box.start_engine()
    box.docker("start", "web")


@healthy(shareable=True)
def jobs_that_failed_in_the_foreground(box: Box) -> None:
    """A one-shot command failed before the eyes of who ran it, and a one-off run of compose did."""
    box.docker("run", "--name=grep", *GOOD, "bb:1.36", "false", check=False)
    label = "--label=com.docker.compose.oneoff=True"
    run(box, "oneoff", *GOOD, label, "bb:1.36", "false")
    box.wait_state("oneoff", "exited")
