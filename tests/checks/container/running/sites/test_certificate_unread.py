"""The check in checks/container/running/sites/certificate_unread.py, and its evidence."""

from __future__ import annotations

import base64
from pathlib import PurePosixPath
from typing import Any

import pytest

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.mounts.certificates.certificate_files import certificate_files
from diagnose.evidence.containers.mounts.certificates.unread_certificates import (
    UnreadCertificates,
    unread_certificates,
)
from diagnose.evidence.machine.certificate import Validity, validity_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.live.disk.parts.chosen import only
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


def pem(end: str, start: str = "200101000000", name: str = "") -> str:
    """A certificate of which only the two times of its validity are there, and a name."""
    body = b"\x30\x1e\x17\x0d" + start.encode() + b"Z\x17\x0d" + end.encode() + b"Z\x30"
    if name:
        own = bytes([0x82, len(name)]) + name.encode()
        names = bytes([0x30, len(own)]) + own
        body += b"\x06\x03\x55\x1d\x11" + bytes([0x04, len(names)]) + names
    return f"-----BEGIN CERTIFICATE-----\n{base64.b64encode(body).decode()}\n-----END CERTIFICATE-----\n"


AFTER_2049 = pem("").replace(
    base64.b64encode(b"\x30\x1e\x17\x0d200101000000Z\x17\x0dZ\x30").decode(),
    base64.b64encode(b"\x30\x20\x17\x0d200101000000Z\x18\x0f20560101000000Z\x30").decode(),
)
"""The end of this one is written with four digits of the year."""


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
        is_old = (
            question.path.endswith("archive/shop/fullchain1.pem") and question.root == "/srv/le"
        )
        kept = only(question.parts, site) if question.parts else site
        return {"text": pem(old) if is_old else kept}

    host = Made({"file.stats": stats, "file.read": read})
    files = certificate_files(host, Containers([edge]), Processes((first, worker)), CLOCK)
    return unread_certificates(host, files)


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


PROXY = "global\n  {}\nfrontend web\n  bind :443 ssl crt /etc/letsencrypt/live/shop/fullchain.pem\n"
SOCKETS = {
    "by a socket": ("stats socket /run/haproxy.sock mode 660 level admin", "advice"),
    "by a socket that only shows": ("stats socket /run/haproxy.sock level operator", "warning"),
    "by a reload": ("log stdout local0", "warning"),
}


@pytest.mark.parametrize(("setting", "severity"), SOCKETS.values(), ids=SOCKETS)
def test_a_certificate_that_haproxy_may_have_been_given(setting: str, severity: str) -> None:
    unread = found(2 * DAY, 3 * DAY, PROXY.format(setting), "300101000000", comm="haproxy")
    result = judge("container.certificate-unread", unread_certificates=unread, clock=CLOCK)
    assert rows(result) == [(severity, "edge")]


CLIENT = """backend api
  server a 10.0.0.7:443 ssl crt /etc/letsencrypt/live/shop/fullchain.pem
  default-server ssl crt /etc/letsencrypt/live/shop/fullchain.pem
"""


def test_a_certificate_that_haproxy_shows_to_the_servers_behind_it() -> None:
    assert not found(2 * DAY, 3 * DAY, CLIENT, "300101000000", comm="haproxy").items


def test_a_server_that_reads_its_files_by_itself() -> None:
    assert not found(2 * DAY, 3 * DAY, SITE, "250101000000", comm="caddy").items


COPIED = str(PurePosixPath(FILE).with_name("copy.pem"))
COPIES = {
    "a path out of the folder": ("270113000000", "file", "/srv/le/../le/live/shop/copy.pem", 0),
    "issued after the server started": ("270113000000", "file", COPIED, 1),
    "the same one again": ("270110000000", "file", COPIED, 0),
    "a folder of certificates": ("270113000000", "folder", COPIED, 0),
    "a name with a variable": ("270113000000", "file", f"{COPIED.rpartition('/')[0]}/$name.pem", 0),
}


@pytest.mark.parametrize(("issued", "kind", "named", "count"), COPIES.values(), ids=COPIES)
def test_a_file_that_is_written_again(issued: str, kind: str, named: str, count: int) -> None:
    """The server began on 2027-01-12, three days before now."""
    edge = container("edge", Mounts=MOUNTS)
    worker = Process(pid=101, comm="nginx", start=NOW - 3 * DAY - BOOT, container=edge.id)
    site = SITE.replace(
        FILE.replace("/srv/le", "/etc/letsencrypt"), named.replace("/srv/le", "/etc/letsencrypt")
    )

    def stats(question: Any) -> dict[str, object]:
        return {path: {"type": kind, "mtime": NOW - 2 * DAY} for path in question.paths}

    def read(question: Any) -> dict[str, object]:
        is_copy = (question.root, question.path) == ("/srv/le", COPIED.removeprefix("/srv/le"))
        return {"text": pem("300101000000", issued) if is_copy else site}

    host = Made({"file.stats": stats, "file.read": read})
    files = certificate_files(host, Containers([edge]), Processes((worker,)), CLOCK)
    unread = unread_certificates(host, files)
    assert len(unread.items) == count


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (pem("260101000000"), Validity(1577836800.0, 1767225600.0)),
        (pem("260199000000"), None),
        (AFTER_2049, Validity(1577836800.0, 2713910400.0)),
        ("no certificate", None),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n", None),
        ("-----BEGIN CERTIFICATE-----\nA!\n", None),
    ],
)
def test_when_a_certificate_is_valid(text: str, expected: Validity | None) -> None:
    assert validity_of(text) == expected
