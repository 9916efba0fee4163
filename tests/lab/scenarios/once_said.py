"""Programs that print an error once, at their start, and run on."""

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

_STARTS = "echo 'starting app 1.0'; echo \"$0\"; echo 'listening on :8080'; exec sleep 1000"


def _says(box: Box, name: str, line: str) -> None:
    run(box, name, *GOOD, "bb:1.36", "sh", "-c", _STARTS, line)
    box.wait_for(lambda: "listening" in logs(box, name), what="the start")


@fault("container.errors-in-log", subject="container:gate66", shareable=True)
def file_that_was_refused_at_the_start(box: Box) -> None:
    """A program may not read one of its files, says so once, and does without."""
    _says(box, "gate66", "[error] could not open /config/users.yml: permission denied")


@healthy(shareable=True)
def complaint_of_a_start_that_goes_well(box: Box) -> None:
    """The usual complaint of an image that runs with a read-only file system."""
    _says(
        box,
        "gate67",
        "10-listen-on-ipv6-by-default.sh: info: can not modify /etc/nginx/conf.d/default.conf "
        "(read-only file system?)",
    )
