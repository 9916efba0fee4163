"""Reports of more findings than anybody reads: people get the first ones and a count, programs get
all of them."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from msgspec.structs import replace

from diagnose.document import document
from diagnose.model import Report, Reported, Severity, container
from diagnose.render import terminal
from diagnose.render.formats import llm, markdown
from diagnose.render.html import page
from diagnose.render.outlines.outline import MOST_ROOTS
from tests.reports import found, report

MORE = 7
NUMBER = MOST_ROOTS + MORE
ROOTS = report(*(found(f"container.fault-{at:03}", container(f"c{at}")) for at in range(NUMBER)))
SAID = "hums for no known reason"


def complaint(at: int) -> Reported:
    """Advice that is said aloud."""
    made = found("container.made", container(f"c{at}"), f"c{at} {SAID}", Severity.advice)
    return replace(made, check=replace(made.check, aloud=("hums", "hum")))


COMPLAINTS = report(*(complaint(at) for at in range(NUMBER)))


def verbose(what: Report) -> str:
    """The text report with `-v`."""
    stream = io.StringIO()
    terminal.render(
        what, 2, stream, color=False, width=200, detail=terminal.ReportDetail(verbose=True)
    )
    return stream.getvalue()


def as_markdown(what: Report) -> str:
    stream = io.StringIO()
    markdown.render(what, 2, stream)
    return stream.getvalue()


def as_context(what: Report) -> str:
    stream = io.StringIO()
    llm.render(what, 2, stream)
    return stream.getvalue()


def as_html(what: Report) -> str:
    return page.text(what, 2)


@pytest.mark.parametrize("write", [verbose, as_markdown, as_html])
def test_so_many_roots_have_a_block_and_the_others_are_counted(
    write: Callable[[Report], str],
) -> None:
    text = write(ROOTS)
    assert f"{NUMBER} critical" in text
    shown = text.lower().index("further findings")
    assert sum(f"container.fault-{at:03}" in text[:shown] for at in range(NUMBER)) == MOST_ROOTS
    assert sum(f"container.fault-{at:03}" in text[shown:] for at in range(NUMBER)) == MORE


@pytest.mark.parametrize("write", [verbose, as_markdown])
def test_so_many_complaints_are_listed_and_the_others_are_counted(
    write: Callable[[Report], str],
) -> None:
    worse = found("container.fault", container("web"))
    text = write(replace(COMPLAINTS, findings=(worse, *COMPLAINTS.findings)))
    listed, counted = text.count(SAID) - 1, f"and {MORE} containers more"  # once as advice
    assert listed == MOST_ROOTS
    assert counted in text


def test_a_language_model_is_told_how_many_roots_it_does_not_see() -> None:
    text = as_context(ROOTS)
    shown = text.count("\nroot ")
    assert 0 < shown < NUMBER
    assert f"left out for length: {NUMBER - shown} further roots" in text


def test_programs_get_every_finding() -> None:
    assert len(document(ROOTS)["findings"]) == NUMBER
