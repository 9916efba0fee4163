"""The check container.client-api-too-new.

A Docker client in a container speaks a newer API than the engine.
"""

from checks.container.claims import claims, compose_variables
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.machine.clock import Clock
from diagnose.model import DAEMON, CheckResult, Finding, Severity
from diagnose.registry import check

ID = "container.client-api-too-new"


@check(ID, severity=Severity.critical)
def client_api_too_new(
    containers: Containers, clock: Clock, log_tails: LogTails, ping: Ping
) -> CheckResult:
    """A Docker client in a container speaks a newer API than the engine knows.

    Its log has the engine's answer, and the engine's own greeting names the same newest version.
    The opposite is daemon.client-api-too-old. Seen on engine 20.10.24, which speaks 1.41 at most.
    """
    for claim in claims(ID, containers, log_tails, clock):
        client = claim.value("client")
        most = claim.value("most")
        if most != ping.api_version:
            continue
        container = claim.container
        yield Finding.about(
            container,
            f"the engine refuses {container}, which uses Docker API {client}: it supports {most} at most",
            {**claim.evidence, "engine API": ping.api_version, "engine": ping.engine_version},
            touches=(DAEMON,),
            onset=container.failed_first,
            variables={
                "assignment": f"DOCKER_API_VERSION={most}",
                "image": container.config.image,
                **compose_variables(container),
            },
        )
