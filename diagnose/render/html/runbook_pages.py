"""The runbook pages of the ids in a report, as HTML with the values of its findings."""

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from diagnose import runbooks
from diagnose.model import Report, Reported
from diagnose.render.outlines.outline import Outline
from diagnose.render.words import clean
from diagnose.runbooks.applying import applying


class RunbookPage(msgspec.Struct, frozen=True):
    """The runbook page of one id."""

    id: str
    title: str
    html: Markup
    left_out: int
    """How many blocks of commands of the page are about other cases."""


def runbook_pages(page: Outline, report: Report) -> tuple[RunbookPage, ...]:
    """The pages of all ids in the report, in its order.

    Each has what applies to the first finding of its id, with that one's values.
    """
    ids = dict.fromkeys(_ids(page))
    first: dict[str, Reported] = {}
    for finding in report.findings:
        first.setdefault(finding.id, finding)
    pages = (_page(first[id], report) for id in ids if id in first)
    return tuple(filter(None, pages))


def _ids(page: Outline) -> Iterable[str]:
    for block in page.blocks:
        yield block.id
        yield from (effect.id for effect in block.effects)
    for advice in page.advice:
        yield advice.id
        yield from advice.effects


def _page(finding: Reported, report: Report) -> RunbookPage | None:
    try:
        page = runbooks.page(finding.id)
    except (KeyError, OSError, runbooks.PageError):
        return None
    fitting = applying(page, finding.finding.variables, runbooks.Place.of(report), clean)
    title, _, body = fitting.body.partition("\n")
    text = Markup(_markdown().render(body))  # noqa: S704 - the renderer escapes
    return RunbookPage(finding.id, title.lstrip("# "), text, fitting.left_out)


def _markdown() -> MarkdownIt:
    """A parser that passes no HTML on.

    Headings go below those of the report; a block of commands says what it is for.
    """
    markdown = MarkdownIt("commonmark", {"html": False}).enable("table")

    def fence(_self: Any, tokens: Sequence[Any], at: int, _options: Any, _env: Any) -> str:
        """A block of commands below a line that says what it is for and what it risks."""
        words = tokens[at].info.removeprefix("sh").strip()
        risk = next((word for word in words.split() if word in runbooks.RISKS), "")
        label = (
            Markup('<p class="purpose {0}">{1}</p>').format(risk, words) if words else Markup("")
        )
        return str(
            label
            + Markup('<pre tabindex="0"><code>{0}</code></pre>\n').format(
                tokens[at].content.rstrip("\n")
            )
        )

    def heading(self: Any, tokens: Sequence[Any], at: int, options: Any, env: Any) -> str:
        tokens[at].tag = "h4"
        return str(self.renderToken(tokens, at, options, env))

    markdown.add_render_rule("fence", fence)
    markdown.add_render_rule("heading_open", heading)
    markdown.add_render_rule("heading_close", heading)
    return markdown
