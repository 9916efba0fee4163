"""daemon.client-api-too-old: a client speaks an older API than the engine still takes."""

import re
from collections.abc import Sequence

import msgspec

from diagnose.evidence.engine.log import DaemonLog, LogLine
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
    clients that are not containers are reported too. The engine's least version rose to 1.24 with
    25.0 and to 1.44 with 29.0 (29.7.2 begins at 1.40): older proxies and dashboards break there.
    """
    yield from map(_client_finding, clients.turned_away)
    if clients.turned_away or log is None:
        return None
    recent = log.since(clock.wall - options.since_s)
    refusals = [_Refusal(line, match) for line in recent if (match := TOO_OLD.search(line.text))]
    if refusals:
        yield _engine_finding(refusals, log, names_of(clients.holders))


class _Refusal(msgspec.Struct, frozen=True):
    """A line of the engine that refuses a client."""

    line: LogLine
    match: re.Match[str]
    """With the versions of both."""


def _client_finding(client: TurnedAway) -> Finding:
    """The finding about a container whose log repeats the engine's answer."""
    requirement = f"it requires at least {client.least}"
    return Finding.about(
        client.container,
        f"the engine refuses {client.container}, which speaks API {client.client}: {requirement}",
        {"last such line of its log": client.line},
        touches=(DAEMON,),
        variables={"name": client.container.name, "least": client.least, **_newer_client(client)},
    )


def _engine_finding(refusals: Sequence[_Refusal], log: DaemonLog, holders: list[str]) -> Finding:
    """The finding about a client that only the engine's own log shows. holders: the containers with
    the engine's socket."""
    last = refusals[-1]
    client = last.match["client"]
    least = last.match["least"]
    return Finding(
        subject=DAEMON,
        summary=f"the engine refuses a client that speaks API {client}: it requires at least {least}",
        evidence={
            **log.evidence(last.line),
            "requests turned away": len(refusals),
            "containers with the socket": holders or "none",
        },
        variables={"least": least} | ({"name": holders[0]} if holders else {}),
    )


def _newer_client(client: TurnedAway) -> PageVariables:
    """The page variables for a version of the client that the engine accepts.

    Traefik asks for API 1.24 until it negotiates; Watchtower asks for the version of its variable.
    """
    image = client.container.config.image
    repository = repository_of(image)
    tag = tag_of(image) or ""
    if repository == "docker.io/library/traefik":
        is_of_two = tag.lstrip("v").startswith("2")
        return {"newer_client": "traefik:v2.11" if is_of_two else "traefik:v3.6"}
    if repository.endswith("/watchtower"):
        return {"version_setting": f"DOCKER_API_VERSION={client.least}"}
    return {"client_image": image} if tag else {}
