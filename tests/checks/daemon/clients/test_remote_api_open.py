"""The check in checks/daemon/clients/remote_api_open.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.model import Severity
from tests.checks.daemon.evidence import config, daemon, engine
from tests.judging import judge


@pytest.mark.parametrize(
    ("one", "severity"),
    [
        pytest.param(
            config(flags={"host": ["fd://", "tcp://0.0.0.0:2375"]}), [None], id="all addresses"
        ),
        pytest.param(config(flags={"host": [":2375"]}), [None], id="without a scheme"),
        pytest.param(
            config(values={"hosts": ["tcp://127.0.0.1:2375"]}), [Severity.advice], id="loopback"
        ),
        pytest.param(
            config(flags={"host": ["tcp://0.0.0.0:2376"], "tlsverify": ["true"]}),
            [],
            id="with certificates",
        ),
        pytest.param(config(flags={"host": ["fd://", "unix:///run/x.sock"]}), [], id="sockets"),
    ],
)
def test_remote_api_open(one: DaemonConfig, severity: list[Severity | None]) -> None:
    findings = judge(
        "daemon.remote-api-open", config=one, daemon=daemon(silence=None, process=engine())
    ).findings
    assert [finding.severity for finding in findings] == severity  # type: ignore[union-attr]
    assert judge("daemon.remote-api-open", config=one, daemon=daemon()).verdict == "skipped"
