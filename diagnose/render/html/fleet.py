"""The answer for many hosts as one HTML file, in the style of a single report."""

from typing import TextIO

import msgspec
from markupsafe import Markup

from diagnose.fleet.model import FleetAnswer, FleetCause
from diagnose.phrases import count
from diagnose.render import fleet_words
from diagnose.render.html import page
from diagnose.version import __version__


class CauseCard(msgspec.Struct, frozen=True):
    """One cause as the template shows it."""

    id: str
    severity: str
    size: str
    summary: str
    facts: tuple[tuple[str, str], ...]
    hosts: tuple[str, ...]
    command: str
    risk: str
    where: str


def render(answer: FleetAnswer, stream: TextIO) -> None:
    """Write the page. The template escapes every text, and the page loads and runs nothing."""
    style = page.style_sheet()
    status = fleet_words.status(answer)
    word, _, rest = status.partition(" ")
    stream.write(
        page.template("fleet.html.j2").render(
            answer=answer,
            status=status,
            word=word,
            rest=rest,
            style=Markup(style),  # noqa: S704 - our own file
            style_hash=page.style_hash(style),
            causes=[_card(cause) for cause in answer.causes],
            sections=list(fleet_words.sections(answer)),
            version=__version__,
        )
    )


def _card(cause: FleetCause) -> CauseCard:
    """One cause as the page shows it."""
    command = fleet_words.command_of(cause)
    return CauseCard(
        id=cause.id,
        severity=str(cause.severity),
        size=count(len(cause.hosts), "host"),
        summary=cause.summary,
        facts=tuple(fleet_words.facts(cause)),
        hosts=tuple(fleet_words.name(host) for host in cause.hosts),
        command=command,
        risk=cause.command.risk if cause.command is not None else "",
        where=fleet_words.where(cause) if command else "",
    )
