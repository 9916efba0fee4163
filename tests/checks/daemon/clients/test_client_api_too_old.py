"""The check in checks/daemon/clients/client_api_too_old.py."""

from __future__ import annotations

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.engine.socket_clients import SocketClients, TurnedAway
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from tests.checks.daemon.evidence import ID, log, only_finding
from tests.judging import judge


def test_client_api_too_old() -> None:
    said = "client version 1.24 is too old. Minimum supported API version is 1.44, please upgrade your client"
    line = f'time="2026-01-02T03:04:05Z" level=debug msg="Handler for GET /v1.24/info returned error: {said}"'
    clock = Clock(1767323105.0, 0.0)
    traefik = msgspec.convert({"Id": ID, "Name": "/traefik"}, Container)
    quiet = SocketClients((traefik,))
    finding = only_finding(
        judge(
            "daemon.client-api-too-old",
            clients=quiet,
            log=log(line),
            options=Options(),
            clock=clock,
        ).findings
    )
    assert (
        finding.summary
        == "the engine refuses a client that speaks API 1.24: it requires at least 1.44"
    )
    result = judge(
        "daemon.client-api-too-old",
        clients=quiet,
        log=log(line),
        options=Options(since_s=30),
        clock=clock,
    )
    assert result.findings == ()
    loud = SocketClients((traefik,), (TurnedAway(traefik, "1.24", "1.44", said),))
    of_container = judge("daemon.client-api-too-old", clients=loud, options=Options(), clock=clock)
    assert [str(finding.subject) for finding in of_container.findings] == ["container:traefik"]
