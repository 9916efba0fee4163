"""The check network.page-unanswered."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages
from diagnose.evidence.network.sockets.waiting_clients import WaitingAtPort, WaitingClients
from diagnose.model import Severity
from diagnose.questions.sockets import WaitingClient
from diagnose.questions.web_pages import PageReply
from tests.checks.network.evidence import LATER, container
from tests.checks.network.first_pages import page, pages
from tests.judging import judge

SHOP = container("shop")
SILENT = PageReply("silent", ms=5000.0, unread=0)
UNREAD = PageReply("silent", ms=5000.0, unread=98)
SERVES = PageReply("silent", ms=5000.0, unread=0, quiet_s=0.4)
FINE = PageReply("answered", status=200)
PAGES: dict[str, tuple[FrontPage, list[str]]] = {
    "Python at 8080": (page(SHOP, SILENT), ["warning"]),
    "it does not read": (page(SHOP, UNREAD, port=5000), ["warning"]),
    "Python at a port that others have too": (page(SHOP, SILENT, port=5000), []),
    "gunicorn at that port": (page(SHOP, SILENT, port=5000, programs=("gunicorn",)), ["warning"]),
    "it serves others meanwhile": (page(SHOP, SERVES), []),
    "it computes": (page(SHOP, SILENT, cpus=0.9), ["advice"]),
    "it answers": (page(SHOP, FINE), []),
}


def severities(found: FrontPages, **evidence: Any) -> list[str]:
    known = {"waiting_clients": WaitingClients(), "clock": LATER, **evidence}
    result = judge("network.page-unanswered", front_pages=found, **known)
    return [(finding.severity or Severity.warning).name for finding in result.findings]


@pytest.mark.parametrize(("found", "expected"), PAGES.values(), ids=PAGES)
def test_pages(found: FrontPage, expected: list[str]) -> None:
    assert severities(pages(found)) == expected


def test_a_program_that_was_started_a_minute_ago_may_not_be_ready() -> None:
    early = Clock(wall=(SHOP.started_at or 0.0) + 60, booted=0.0)
    assert severities(pages(page(SHOP, SILENT)), clock=early) == []


def test_clients_that_wait_there_have_a_finding_already() -> None:
    client = WaitingClient(
        port=8080, peer="172.18.0.9", unread=10, accepted=False, left=False, seconds=40.0
    )
    waiting = WaitingClients((WaitingAtPort(SHOP, 8080, (client,)),))
    assert severities(pages(page(SHOP, SILENT)), waiting_clients=waiting) == []


def test_nobody_serves_pages() -> None:
    assert judge("network.page-unanswered", front_pages=pages(), clock=LATER).verdict == "skipped"
