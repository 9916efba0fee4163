"""The check in checks/container/unread_certificate.py, and the evidence that it reads."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.unread_certificates import (
    UnreadCertificates,
    end_of,
    unread_certificates,
)
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from tests.hosts import Made
from tests.inspected import bind, container
from tests.judging import judge, rows

NOW, BOOT = 1_800_000_000.0, 1_700_000_000.0
CLOCK = Clock(NOW, BOOT)
DAY = 86400.0
FILE = "/srv/le/live/shop/fullchain.pem"
SITE = "server {\n  listen 443 ssl;\n  ssl_certificate /etc/letsencrypt/live/shop/fullchain.pem;\n}"
MOUNTS = [
    *bind("/srv/site.conf", Destination="/etc/nginx/conf.d/site.conf")["Mounts"],
    *bind("/srv/le", Destination="/etc/letsencrypt")["Mounts"],
]


def pem(end: str) -> str:
    """A certificate of which only the two times of its validity are there."""
    body = b"\x30\x1e\x17\x0d200101000000Z\x17\x0d" + end.encode() + b"Z\x30"
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(body).decode()}\n-----END CERTIFICATE-----\n"


def found(
    renewed: float, loaded: float, site: str, old: str, comm: str = "nginx"
) -> UnreadCertificates:
    """What is found where a file is so old in seconds, and the youngest process of the server."""
    edge = container("edge", Mounts=MOUNTS)
    first = Process(pid=100, comm=comm, start=NOW - 30 * DAY - BOOT, container=edge.id)
    worker = Process(pid=101, comm=comm, start=NOW - loaded - BOOT, container=edge.id)

    def stats(question: Any) -> dict[str, object]:
        link = "../../archive/shop/fullchain2.pem"
        status = {"type": "file", "mtime": NOW - renewed, "link": link}
        return {path: status for path in question.paths if path == FILE}

    def read(question: Any) -> dict[str, object]:
        is_old = question.path.endswith("archive/shop/fullchain1.pem")
        return {"text": pem(old) if is_old else site}

    host = Made({"file.stats": stats, "file.read": read})
    return unread_certificates(host, Containers([edge]), Processes((first, worker)), CLOCK)


CASES = {
    "renewed two days ago": (2 * DAY, 3 * DAY, SITE, "300101000000", [("warning", "edge")]),
    "renewed an hour ago": (3600.0, 3 * DAY, SITE, "300101000000", [("advice", "edge")]),
    "the old one has expired": (3600.0, 3 * DAY, SITE, "250101000000", [("critical", "edge")]),
    "reloaded since": (2 * DAY, DAY, SITE, "250101000000", []),
    "another file is used": (
        2 * DAY,
        3 * DAY,
        SITE.replace("ssl_certificate", "# ssl_certificate"),
        "250101000000",
        [],
    ),
}


@pytest.mark.parametrize(
    ("renewed", "loaded", "site", "old", "expected"), CASES.values(), ids=CASES
)
def test_a_certificate_that_was_renewed(
    renewed: float, loaded: float, site: str, old: str, expected: list[tuple[str, str]]
) -> None:
    unread = found(renewed, loaded, site, old)
    result = judge("container.certificate-unread", unread_certificates=unread, clock=CLOCK)
    assert rows(result) == expected


def test_a_server_that_reads_its_files_by_itself() -> None:
    assert not found(2 * DAY, 3 * DAY, SITE, "250101000000", comm="caddy").items


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pem("260101000000"), 1767225600.0),
        ("no certificate", None),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", None),
        ("-----BEGIN CERTIFICATE-----\nA!\n", None),
    ],
)
def test_when_a_certificate_expires(text: str, expected: float | None) -> None:
    assert end_of(text) == expected
