"""Whether a call to localhost is meant for a program of the container itself. Pure."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.processes import Processes
from diagnose.programs.web_programs import FRONTS

_AROUND = frozenset(
    {
        "ash", "bash", "busybox", "cat", "cron", "crond", "dash", "docker-init", "dumb-init", "gosu",
        "php-fpm", "rsyslogd", "runsv", "runsvdir", "sh", "sleep", "su-exec", "supervisord", "tail",
        "tini",
    }
)  # fmt: skip
"""Programs beside such a server that serve no requests at a TCP port, or at other ports."""
OF_ONE_KIND = frozenset(
    {389, 636, 1433, 1521, 1883, 2181, 3306, 4222, 5432, 5672, 6379, 8123, 8883, 9042, 9092, 9200,
     11211, 27017}
)  # fmt: skip
"""Ports of databases and brokers: a call to one is for such a server."""


def may_mean_own_server(container: Container, port: int, processes: Processes | None) -> bool:
    """Whether a web server calls a program beside it, which does not listen yet.

    Images such as Nginx Proxy Manager's run both. The port alone is then no proof: many containers
    serve 3000 or 8080.
    """
    if processes is None or port in OF_ONE_KIND:
        return False
    programs = {process.program.partition(":")[0] for process in processes.inside(container.id)}
    other_names = {
        name for name in programs - FRONTS - _AROUND if not name.startswith(("php-fpm", "s6-"))
    }
    return bool(programs & FRONTS) and bool(other_names)
