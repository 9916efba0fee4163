"""daemon.client-api-too-old: a client speaks an older API than the engine still takes."""

from __future__ import annotations

from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.socket_clients import TOO_OLD, SocketClients, TurnedAway
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.images.listing import tag_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.mappings import names_of
from diagnose.model import DAEMON, CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check


@check("daemon.client-api-too-old", severity=Severity.warning)
def client_api_too_old(
    clients: SocketClients, log: DaemonLog | None, options: Options, clock: Clock
) -> CheckResult:
    """The engine refuses a client because its API version is too old.

    By the logs of running containers that hold the engine's socket, which repeat the engine's
    answer. The engine itself logs it only while it debugs (seen on 20.10, 26.1 and 28.5); then
    clients that are no containers are reported too. The engine's least version rose to 1.24 with
    25.0 and to 1.44 with 29.0 (29.7.2 begins at 1.40): older proxies and dashboards break there.
    """
    for client in clients.turned_away:
        requirement = f"this engine requires at least {client.least}"
        finding = Finding.about(
            client.container,
            f"{client.container} speaks API {client.client} and is turned away: {requirement}",
            {"last such line of its log": client.line},
            touches=(DAEMON,),
            name=client.container.name,
            least=client.least,
        )
        yield finding.with_variables(_newer_client(client))
    if clients.turned_away or log is None:
        return None
    refusals = [
        (line, match)
        for line in log.since(clock.wall - options.since_s)
        if (match := TOO_OLD.search(line.text))
    ]
    if refusals:
        last, match = refusals[-1]
        holders = names_of(clients.holders)
        yield Finding(
            subject=DAEMON,
            summary=(
                f"a client of API {match['client']} is turned away: "
                f"this engine requires at least {match['least']}"
            ),
            evidence={
                **log.evidence(last),
                "times": len(refusals),
                "containers with the socket": holders or "none",
            },
            variables={"least": match["least"]} | ({"name": holders[0]} if holders else {}),
        )
    return None


def _newer_client(client: TurnedAway) -> PageVariables:
    """What puts a client in its place that the engine accepts, as variables of the page.

    Traefik asks for API 1.24 until it negotiates; Watchtower asks for the version of its variable.
    """
    image = client.container.config.image
    repository, tag = repository_of(image), tag_of(image) or ""
    if repository == "docker.io/library/traefik":
        is_of_two = tag.lstrip("v").startswith("2")
        return {"newer_client": "traefik:v2.11" if is_of_two else "traefik:v3.6"}
    if repository.endswith("/watchtower"):
        return {"version_setting": f"DOCKER_API_VERSION={client.least}"}
    return {"client_image": image} if tag else {}
