"""Questions that a colleague may need answered beyond those of the checks."""

from diagnose.questions import AnyQuestion
from diagnose.questions.container_logs import ReadLogs
from diagnose.questions.engine import ReadInfo, ReadVersion
from diagnose.questions.files import ReadFile
from diagnose.questions.firewall import ListNftables
from diagnose.questions.images import ListImages, ListNetworks, ListVolumes
from diagnose.questions.machine import ListMounts, ReadMemory, ReadPressure
from diagnose.questions.network import ListAddresses, ListInterfaces, ListRoutes
from diagnose.questions.run import IdentifyCaller
from diagnose.recording import answer_files
from diagnose.ticket import texts

LOG_LINES = 200
LOGS_OF = 20
"""The last words of so many failing containers are taken."""


def superset() -> tuple[AnyQuestion, ...]:
    """The questions beyond those of the checks, all of them cheap."""
    return (
        ReadInfo(),
        ReadVersion(),
        ListNetworks(),
        ListVolumes(),
        ListInterfaces(),
        ListAddresses(),
        ListRoutes(),
        ListMounts(),
        ReadMemory(),
        ReadPressure(),
        ListNftables(),
        IdentifyCaller(),
        ListImages(all=False),
        ReadFile("/etc/docker/daemon.json"),
        ReadFile("/etc/resolv.conf"),
    )


def last_words(recorded: answer_files.Recording) -> tuple[AnyQuestion, ...]:
    """The log tails of the containers that failed last."""
    return tuple(
        ReadLogs(id, tail=LOG_LINES) for id in texts.failing_containers(recorded)[:LOGS_OF]
    )
