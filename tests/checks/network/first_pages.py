"""Answers of web servers to a request for their first page, for tests of several checks."""

from __future__ import annotations

from typing import Any

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages, HttpPort
from diagnose.questions.web_pages import PageReply, RequestPage


def page(
    container: Container,
    reply: PageReply,
    *,
    programs: tuple[str, ...] = ("python3",),
    port: int = 8080,
    name: str = "localhost",
    host_port: int = 0,
    **fields: Any,
) -> FrontPage:
    question = RequestPage(7, "172.18.0.2", port, name=name)
    http_port = HttpPort(
        container, port, question, host_port=host_port or port, names=frozenset(programs)
    )
    return FrontPage(http_port, reply, **fields)


def pages(*items: FrontPage) -> FrontPages:
    return FrontPages(items)
