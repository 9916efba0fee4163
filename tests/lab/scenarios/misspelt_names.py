"""Host names in settings that are almost a neighbour's, where no line of a log names them."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs

MISSPELT = "dns.name-misspelt"
_LIMITS = ("--memory=64m", "--pids-limit=64")
_SERVES = "nc -ll -p 3306 -e cat & exec sleep 1000"
_WAITS = """
while :; do
    if nc -w 1 $MYSQL_HOST 3306 </dev/null 2>/dev/null; then echo 'database is there'
    else echo 'Waiting for database connection...'; fi
    sleep 1
done
"""


def _labels(service: str) -> tuple[str, str]:
    project = "--label=com.docker.compose.project=shop"
    return project, f"--label=com.docker.compose.service={service}"


def _stack(box: Box, name: str, server: str, *server_options: str, called: str) -> None:
    """A database, and a program that waits for it by a name."""
    network = f"--network={name}-net"
    box.docker("network", "create", f"{name}-net")
    own = (*_LIMITS, *_labels("store"), *server_options, network)
    box.docker("run", "-d", f"--name={server}", *own, "bb:1.36", "sh", "-c", _SERVES)
    caller = (*_LIMITS, *_labels("app"), network, f"--env=MYSQL_HOST={called}")
    box.docker("run", "-d", f"--name={name}", *caller, "bb:1.36", "sh", "-c", _WAITS)


@fault(MISSPELT, subject="container:misp60", also=["container.errors-in-log"])
def underscore_for_a_hyphen(box: Box) -> None:
    """misp_db60 is called, and the container is misp-db60; the command of the report heals it."""
    _stack(box, "misp60", "misp-db60", called="misp_db60")
    box.wait_for(lambda: logs(box, "misp60").count("Waiting") > 4, what="waits")
    command = first_command(box, MISSPELT, "misp60")
    assert command == "diagnose recreate misp60 -- --env=MYSQL_HOST=misp-db60 | sh", command


@fault(MISSPELT, subject="container:shop61", also=["container.errors-in-log"])
def project_before_the_name(box: Box) -> None:
    """The name that compose of old gave the container, which no longer exists."""
    options = ("--network-alias=store",)
    _stack(box, "shop61", "shop61-store-1", *options, called="shop61_store")
    box.wait_for(lambda: logs(box, "shop61").count("Waiting") > 4, what="waits")
    command = first_command(box, MISSPELT, "shop61")
    assert command == "diagnose recreate shop61 -- --env=MYSQL_HOST=store | sh", command


@healthy()
def names_that_resolve_or_are_meant(box: Box) -> None:
    """The right name; one that extra hosts give; one of another thing; and the program's own."""
    _stack(box, "misp62", "misp-db62", called="misp-db62")
    box.wait_for(lambda: "database is there" in logs(box, "misp62"), what="an answer")
    network = "--network=misp62-net"
    given = ("--add-host=misp_db62:192.0.2.80", "--env=DB_HOST=misp_db62")
    words = ("bb:1.36", "sleep", "1000")
    box.docker("run", "-d", "--name=given62", *_LIMITS, network, *given, *words)
    others = ("--env=MAIL_HOST=mailer62", "--env=SERVER_HOST=misp_db62")
    box.docker("run", "-d", "--name=other62", *_LIMITS, network, *others, *words)
