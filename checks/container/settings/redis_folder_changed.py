"""container.redis-folder-changed: Redis works in a folder of the system that nobody has set."""

from diagnose.evidence.containers.workers.led_servers import LedServer, LedServers
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import sentence
from diagnose.registry import check


@check(
    "container.redis-folder-changed",
    severity=Severity.critical,
    causes=("container.errors-in-log",),
)
def redis_folder_changed(led_servers: LedServers) -> CheckResult:
    """Redis works in a folder of the system that no setting of it names.

    Its process has a working folder such as /etc/cron.d. A client has set that while the server
    runs (`CONFIG SET dir`): so strangers write a crontab or a key through a Redis that takes
    commands from everybody. Saves fail there, and with them each write (`MISCONF`). A folder that
    the command names, or that is mounted, is left out.
    """
    for server in led_servers:
        yield _finding(server)


def _finding(server: LedServer) -> Finding:
    container = server.container
    is_open = f"its port is published at {server.open_at}" if server.open_at else ""
    return Finding.about(
        container,
        sentence(
            f"Redis in {container} works in {server.folder}, which no setting names: a client set "
            "that at run time, as attackers do",
            is_open,
        ),
        {
            "working folder of its process": server.folder,
            "the folder of its image": server.meant,
            **present({"published at": server.open_at}),
        },
        recheck=(container.run,),
        variables={"meant": server.meant},
    )
