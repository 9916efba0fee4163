"""The check in checks/container/settings/mail_mode_wrong.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.model import Result
from tests.inspected import container, of
from tests.judging import judge

NODE = "[Error: 2814:error:1408F10B:SSL routines:ssl3_get_record:wrong version number:../ssl3_record.c:331:"
TIMEOUT = "Error sending email Error: Connection timeout"
PYTHON = "smtplib.SMTPServerDisconnected: Connection unexpectedly closed: timed out"
CHANGES: dict[str, tuple[list[str], str, list[tuple[str, str]]]] = {
    "Nodemailer at 587": (["SMTP_PORT=587", "SMTP_SECURE=true"], NODE, [("warning", "SMTP_SECURE=false")]),
    "Nodemailer at 25": (["SMTP_PORT=25", "SMTP_SECURE=true"], TIMEOUT, [("warning", "SMTP_SECURE=false")]),
    "Ghost": (
        ["mail__options__port=587", "mail__options__secure=true"], "", [("advice", "mail__options__secure=false")],
    ),
    "Django's STARTTLS at 465": (
        ["EMAIL_PORT=465", "EMAIL_USE_TLS=True"], PYTHON, [("warning", "EMAIL_PORT=587")],
    ),
    "Django's TLS at 587": (
        ["EMAIL_PORT=587", "EMAIL_USE_SSL=True", "EMAIL_USE_TLS=False"], "", [("advice", "EMAIL_USE_SSL=false")],
    ),
    "Vaultwarden": (["SMTP_PORT=465", "SMTP_SECURITY=starttls"], "", [("advice", "SMTP_PORT=587")]),
    "Vaultwarden the other way": (
        ["SMTP_PORT=587", "SMTP_SECURITY=force_tls"], "", [("advice", "SMTP_PORT=465")],
    ),
    "an address": (["MAILER_DSN=smtps://mail.example:587"], "", [("advice", "")]),
    "TLS at 465": (["SMTP_PORT=465", "SMTP_SECURE=true"], NODE, []),
    "STARTTLS at 587": (["SMTP_PORT=587", "SMTP_SECURE=false"], NODE, []),
    "Laravel's word for both": (["MAIL_PORT=465", "MAIL_ENCRYPTION=tls"], TIMEOUT, []),
    "another port": (["SMTP_PORT=1025", "SMTP_SECURE=true"], NODE, []),
    "two servers": (["SMTP_PORT=587", "IMAP_MAIL_PORT=993", "SMTP_SECURE=true"], NODE, []),
    "two modes": (["SMTP_PORT=465", "EMAIL_USE_TLS=true", "EMAIL_USE_SSL=true"], NODE, []),
    "other services": (["DB_PORT=587", "DB_SSL=true", "COOKIE_SECURE=true"], NODE, []),
    "cookies of mail": (["MAIL_PORT=587", "MAIL_COOKIE_SECURE=true"], NODE, []),
}  # fmt: skip


def judged(variables: list[str], line: str) -> Result:
    kuma = container("kuma", Config={"Env": variables})
    now = (kuma.started_at or 0.0) + 60
    lines = RecentLogs({kuma.id: (RecentLine(now, line),)} if line else {})
    return judge("container.mail-mode-wrong", containers=of(kuma), recent_logs=lines)


@pytest.mark.parametrize(("variables", "line", "expected"), CHANGES.values(), ids=CHANGES)
def test_pairs(variables: list[str], line: str, expected: list[tuple[str, str]]) -> None:
    findings = judged(variables, line).findings
    shown = [
        (str(finding.severity), (finding.variables or {}).get("correct", ""))
        for finding in findings
    ]
    assert shown == expected


LINES = {
    "Go": "tls: first record does not look like a TLS handshake",
    "Java": "javax.net.ssl.SSLException: Unsupported or unrecognized SSL message",
    "rustls": "Error: Connection error: received corrupt message of type InvalidContentType",
    "Python": PYTHON,
    "PHP": "SMTP -> ERROR: EHLO not accepted: stream timed out",
    "Nodemailer": "Error: Greeting never received",
}


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_words_of_clients(line: str) -> None:
    (finding,) = judged(["SMTP_PORT=587", "SMTP_SECURE=true"], line).findings
    assert str(finding.severity) == "warning"


def test_other_words() -> None:
    (finding,) = judged(["SMTP_PORT=587", "SMTP_SECURE=true"], "timed out calling redis").findings
    assert str(finding.severity) == "advice"
