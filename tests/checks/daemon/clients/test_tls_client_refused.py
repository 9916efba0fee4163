"""The checks in checks/daemon/clients/tls_client_refused.py, with their log lines."""

from __future__ import annotations

import shutil
import subprocess
import time

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.own_certificate import OwnCertificate, own_certificate
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.run.options import Options
from diagnose.phrases import unix
from tests.checks.daemon.evidence import ALIVE, log
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NOW = Clock(unix("2026-01-02T03:10:00Z") or 0.0, 0.0)
UP = 'time="2026-01-02T03:04:05Z" level=info msg="API listen on 127.0.0.1:2376"'
STARTING = 'time="2026-01-02T03:09:00Z" level=info msg="Starting up"'
X509 = "tls: failed to verify certificate: x509: certificate"
EXPIRED = f"{X509} has expired or is not yet valid: current time 2026-01-02 is after 2025-12-31"
EARLY = f"{X509} has expired or is not yet valid: current time 1970-01-01 is before 2025-12-31"
NONE = "tls: client didn't provide a certificate"
PLAIN = "client sent an HTTP request to an HTTPS server"


def _refused(error: str, client: str = "10.0.0.5") -> str:
    return f"2026/01/02 03:05:00 http: TLS handshake error from {client}:40112: {error}"


LOGS: dict[str, tuple[list[str], list[tuple[str, list[str]]]]] = {
    "expired": ([UP, _refused(EXPIRED)], [("expired", ["10.0.0.5"])]),
    "not valid yet": ([UP, _refused(EARLY)], [("early", ["10.0.0.5"])]),
    "of another authority": (
        [UP, _refused(f"{X509} signed by unknown authority")],
        [("foreign", ["10.0.0.5"])],
    ),
    "of a server": (
        [UP, _refused(f"{X509} specifies an incompatible key usage")],
        [("usage", ["10.0.0.5"])],
    ),
    "the engine's is refused": (
        [UP, _refused("remote error: tls: bad certificate", "[fd00::5]")],
        [("engine", ["fd00::5"])],
    ),
    "engine 20.10": (
        [UP, _refused(NONE).replace("2026/01/02 03:05:00", "2026-01-02 03:05:00.123456 I |")] * 3,
        [("none", ["10.0.0.5"])],
    ),
    "no TLS, again and again": ([UP, *[_refused(PLAIN)] * 3], [("plain", ["10.0.0.5"])]),
    "two clients of one reason": (
        [UP, _refused(EXPIRED), _refused(EXPIRED, "10.0.0.6")],
        [("expired", ["10.0.0.5", "10.0.0.6"])],
    ),
    "two reasons": (
        [UP, _refused(EXPIRED), _refused("remote error: tls: expired certificate", "10.0.0.6")],
        [("expired", ["10.0.0.5"]), ("engine", ["10.0.0.6"])],
    ),
    "a lone probe": ([UP, _refused(NONE), _refused(PLAIN)], []),
    "a scanner of the internet": ([UP, *[_refused(NONE, "1.2.3.4")] * 9], []),
    "not an address": ([UP, *[_refused(NONE, "@")] * 9], []),
    "another error": ([UP, _refused("EOF"), _refused("read: connection reset by peer")], []),
    "before the last start": ([UP, _refused(EXPIRED), STARTING, UP], []),
    "nobody": ([UP], []),
}


@pytest.mark.parametrize(("lines", "expected"), LOGS.values(), ids=LOGS)
def test_clients_that_are_refused(lines: list[str], expected: list[tuple[str, list[str]]]) -> None:
    findings = judge(
        "daemon.tls-client-refused", daemon=ALIVE, log=log(*lines), clock=NOW, options=Options()
    ).findings
    assert [finding.discriminator for finding in findings] == [reason for reason, _ in expected]
    for finding, (_, addresses) in zip(findings, expected, strict=True):
        assert all(f'"{address}"' in finding.summary for address in addresses)


def test_old_lines_are_left_alone() -> None:
    old = log(UP, _refused(EXPIRED))
    lately = Options(since_s=60)
    result = judge("daemon.tls-client-refused", daemon=ALIVE, log=old, clock=NOW, options=lately)
    assert result.verdict == "passed"


MADE = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=x -keyout /dev/null -days 10"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
@pytest.mark.parametrize(("days", "expected"), [(9, []), (12, [("warning", "docker")])])
def test_the_engines_own_certificate(days: int, expected: list[tuple[str, str]]) -> None:
    made = subprocess.run(MADE.split(), capture_output=True, text=True, check=True).stdout
    config = DaemonConfig("/etc/docker/daemon.json", values={"tlscert": "/etc/docker/server.pem"})
    own = own_certificate(Made({"file.read": lambda _: {"text": made}}), config)
    clock = Clock(time.time() + days * 86_400, 0.0)
    result = judge(
        "daemon.tls-client-refused",
        daemon=ALIVE, log=log(UP), clock=clock, options=Options(), own_certificate=own,
    )  # fmt: skip
    assert rows(result) == expected


@pytest.mark.parametrize("text", ["", "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----"])
def test_a_file_that_holds_no_certificate(text: str) -> None:
    config = DaemonConfig("/etc/docker/daemon.json", values={"tlscert": "/etc/docker/server.pem"})
    host = Made({"file.read": lambda _: {"text": text}})
    assert own_certificate(host, config) == OwnCertificate("/etc/docker/server.pem")


def test_a_container_that_is_refused_is_named() -> None:
    dashboard = container("kuma", NetworkSettings={"Networks": {"web": {"IPAddress": "10.0.0.5"}}})
    (finding,) = judge(
        "daemon.tls-client-refused",
        daemon=ALIVE,
        log=log(UP, *[_refused(NONE)] * 3),
        clock=NOW,
        options=Options(),
        containers=of(dashboard),
    ).findings
    assert 'container "kuma" (10.0.0.5)' in finding.summary
    assert finding.variables == {"caller": "kuma"}
