"""The checks in checks/security/secrets.py."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.secrets import has_secret, in_text
from diagnose.evidence.images.details import HistoryStep, ImageHistories
from tests.inspected import container, live
from tests.judging import judge

TOKEN = "<redacted:password:ab12cd>"


OTHER = "<redacted:bearer:ab12ce>"


@pytest.mark.parametrize(
    ("env", "names"),
    [
        pytest.param([f"DB_PASSWORD={TOKEN}"], ["DB_PASSWORD"], id="value"),
        pytest.param([f"URL=postgres://app:{TOKEN}@db/x"], ["URL"], id="part of a URL"),
        pytest.param(
            ["TOKEN_TTL=3600", "PASSWORD_FILE=/run/secrets/x", "EMPTY_PASSWORD="],
            [],
            id="names about secrets",
        ),
        pytest.param(["NOTE=<redacted:by hand>"], [], id="a text that looks like a token"),
        pytest.param(None, [], id="no environment"),
    ],
)
def test_secrets_in_env(env: list[str] | None, names: list[str]) -> None:
    assert [secret.name for secret in has_secret(env)] == names
    assert bool(
        judge("security.secrets-in-env", exposed=live(container(Config={"Env": env}))).findings
    ) is bool(names)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        pytest.param(
            {"Path": "app", "Args": [f"--password={TOKEN}"]},
            "password in plain text in its command line",
            id="an option",
        ),
        pytest.param(
            {"Path": "sh", "Args": ["-c", f"PGPASSWORD={TOKEN} psql"]},
            "PGPASSWORD in plain text in its command line",
            id="a script",
        ),
        pytest.param(
            {"Config": {"Healthcheck": {"Test": ["CMD-SHELL", f"redis-cli -a {TOKEN} ping"]}}},
            "in its health check",
            id="a health check",
        ),
        pytest.param(
            {"Path": "app", "Args": ["--password-file=/run/secrets/x", "--port=80"]},
            "",
            id="a file of one",
        ),
    ],
)
def test_secrets_in_the_command(more: dict[str, Any], said: str) -> None:
    findings = judge("security.secrets-in-env", exposed=live(container(**more))).findings
    assert bool(findings) is bool(said)
    assert all(finding.summary.endswith(said) for finding in findings)


def test_secrets_in_text() -> None:
    found = in_text(
        f"|2 NPM_TOKEN={TOKEN} V=3 /bin/sh -c curl -H 'Authorization: {OTHER}' -u app:{TOKEN}"
    )
    assert [(secret.name, secret.kind) for secret in found] == [
        ("NPM_TOKEN", "password"),
        ("Authorization", "bearer"),
    ]


def test_secrets_in_image() -> None:
    histories = ImageHistories(
        (
            (
                "leaky:1",
                (
                    HistoryStep(f"/bin/sh -c #(nop)  ENV API_PASSWORD={TOKEN}"),
                    HistoryStep(f"|1 NPM_TOKEN={OTHER} /bin/sh -c make"),
                ),
            ),
            ("clean:1", (HistoryStep("/bin/sh -c #(nop)  ENV PASSWORD_FILE=/run/secrets/x"),)),
        )
    )
    (finding,) = judge("security.secrets-in-image", histories=histories).findings
    assert finding.subject.name == "leaky:1"
    assert "API_PASSWORD, NPM_TOKEN" in finding.summary
