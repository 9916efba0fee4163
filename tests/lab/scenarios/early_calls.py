"""Programs that called a neighbour before that served, or while it is down: those that wait for it,
and those that do not."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.container.helpers import GOOD, run, wait_log
from tests.lab.scenarios.everyday.helpers import first_command

_HEALTH = ("--health-cmd=test -e /tmp/works", "--health-interval=1s", "--health-retries=2")
_SERVES = "httpd -f -p 8080 -h /www"


def _late_database(box: Box, number: int) -> None:
    """A database in a network of its own that begins to serve once it is told to."""
    box.docker("network", "create", f"early{number}")
    waits = "while [ ! -e /tmp/open ]; do sleep 0.2; done; exec httpd -f -p 5432 -h /www"
    options = (*GOOD, "--tmpfs=/tmp", f"--network=early{number}")
    run(box, f"db{number}", *options, "bb:1.36", "sh", "-c", waits)


def _shop(box: Box, number: int, script: str, *options: str) -> None:
    """A program that calls the database, and says so where that refuses."""
    says = f"echo 'ERROR dial tcp db{number}:5432: connect: connection refused'"
    call = f"nc -w 1 db{number} 5432 </dev/null 2>/dev/null || {{ {says}; false; }}"
    words = ("bb:1.36", "sh", "-c", script.replace("CALL", f"{{ {call}; }}"))
    run(box, f"shop{number}", *GOOD, "--tmpfs=/tmp", f"--network=early{number}", *options, *words)
    wait_log(box, f"shop{number}", "connection refused")


def _serves_from_now_on(box: Box, number: int) -> None:
    box.docker("exec", f"db{number}", "touch", "/tmp/open")
    call = ("exec", f"db{number}", "nc", "-w", "1", "127.0.0.1", "5432", "-e", "true")
    box.wait_for(
        lambda: box.docker(*call, check=False).returncode == 0, what="the database to serve"
    )


@fault("container.unhealthy", subject="container:shop31")
def never_called_again(box: Box) -> None:
    """A program called its database once, at its start, and that began to serve a moment later."""
    _late_database(box, 31)
    _shop(box, 31, f"CALL && touch /tmp/works; {_SERVES}", *_HEALTH)
    _serves_from_now_on(box, 31)
    box.wait_health("shop31", "unhealthy")
    command = first_command(box, "container.unhealthy", "shop31")
    assert command == "docker restart shop31", command
    out = " ".join(box.diagnose("check", "container.unhealthy").out.split())
    assert 'it called container "db31" too early: it serves now' in out, out
    assert "condition: service_healthy" in out, out
    box.docker("restart", "shop31")
    box.wait_health("shop31", "healthy")
    box.docker("exec", "db31", "rm", "/tmp/open")
    box.docker("restart", "--time=0", "db31", "shop31")
    _serves_from_now_on(box, 31)
    box.wait_health("shop31", "unhealthy")


@fault("container.unhealthy", subject="container:shop32", also=["network.*", "container.*"])
def still_not_served(box: Box) -> None:
    """The same program, and its database does not serve yet: another start would fail likewise."""
    _late_database(box, 32)
    _shop(box, 32, f"CALL && touch /tmp/works; {_SERVES}", *_HEALTH)
    box.wait_health("shop32", "unhealthy")
    out = box.diagnose("check", "container.unhealthy").joined
    assert "docker restart shop32" not in out, out
    assert "too early" not in out, out


@healthy()
def called_until_it_answered(box: Box) -> None:
    """A program calls its database until that serves, and works since then."""
    _late_database(box, 33)
    script = f"until CALL; do sleep 0.5; done; touch /tmp/works; {_SERVES}"
    _shop(box, 33, script, "--health-start-period=1m", *_HEALTH)
    _serves_from_now_on(box, 33)
    box.wait_health("shop33", "healthy")


_PORT = "network.published-port-not-listening"


def _kills_the_database(box: Box, number: int) -> None:
    box.docker("kill", f"db{number}")
    box.wait_state(f"db{number}", "exited")


@fault("container.stopped", subject="container:db34", expect=[(_PORT, "container:shop34")])
def waits_for_a_killed_database(box: Box) -> None:
    """A program waits for a database that somebody has killed, and does not serve its port."""
    _late_database(box, 34)
    _kills_the_database(box, 34)
    _shop(box, 34, f"until CALL; do sleep 1; done; {_SERVES}", "-p=18434:8080")
    box.sh("sleep 21", timeout=30)
    findings = box.diagnose("all", "--format", "json").findings
    (waiting,) = [finding for finding in findings if finding["id"] == _PORT]
    assert 'it waits for container "db34", which is not running' in waiting["summary"]
    assert [cause["id"] for cause in waiting["caused_by"]] == ["container.stopped"]


@fault("container.stopped", subject="container:db35")
def serves_without_its_killed_database(box: Box) -> None:
    """The same, and the program serves its port all the same."""
    _late_database(box, 35)
    _kills_the_database(box, 35)
    _shop(box, 35, f"( until CALL; do sleep 1; done ) & {_SERVES}", "-p=18435:8080")


@healthy()
def database_that_was_down_for_a_moment(box: Box) -> None:
    """Calls were refused until the database was started again, and the program serves now."""
    _late_database(box, 36)
    _shop(box, 36, f"until CALL; do sleep 1; done; {_SERVES}", "-p=18436:8080")
    box.docker("restart", "--time=0", "db36")
    _serves_from_now_on(box, 36)
    netstat = ("exec", "shop36", "netstat", "-lnt")
    box.wait_for(lambda: ":8080 " in box.docker(*netstat).stdout, what="the shop to serve")
