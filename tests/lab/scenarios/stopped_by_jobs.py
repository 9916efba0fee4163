"""A server of no project that a job of the host has stopped, and one that another has replaced."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.programs.helpers import run

STOPPED = "container.stopped"


def _forum(box: Box, name: str, port: int) -> None:
    box.docker("tag", "shop:1.4", "forum:3")
    run(box, name, *SAFE, "-p", f"{port}:8080", "forum:3")
    box.wait_state(name, "running")


@fault(STOPPED, subject="container:forum61")
def server_that_a_job_has_stopped(box: Box) -> None:
    """The job for a backup stops the server, and its second line never starts it again."""
    _forum(box, "forum61", 8661)
    box.write(
        "/etc/cron.d/backup61", "30 3 * * * root docker stop -t 2 forum61 && /opt/backup.sh\n"
    )
    box.docker("stop", "-t", "1", "forum61")
    run(box, "other61", *SAFE, "bb:1.36", "sleep", "1000")
    found = box.diagnose("check", STOPPED, "--format", "json").findings
    (summary,) = [finding["summary"] for finding in found]
    assert "line 1 of /etc/cron.d/backup61 has docker stop it" in summary, summary


@healthy(shareable=True)
def server_that_was_replaced(box: Box) -> None:
    """The former container of a server, left behind by a deployment by hand."""
    _forum(box, "forum62", 8662)
    box.docker("stop", "-t", "1", "forum62")
    _forum(box, "forum62-green", 8662)
    found = box.diagnose("check", STOPPED, "--format", "json").findings
    assert "forum62" not in [finding["subject"]["name"] for finding in found]
