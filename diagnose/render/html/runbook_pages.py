"""The runbook pages of the ids in a report, as HTML with the values of its findings."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
from markdown_it import MarkdownIt
from markupsafe import Markup

from diagnose import runbooks
from diagnose.model import Report, Reported
from diagnose.render.outlines.outline import Outline
from diagnose.render.words import clean


class RunbookPage(msgspec.Struct, frozen=True):
    """The runbook page of one id."""

    id: str
    title: str
    html: Markup


def runbook_pages(page: Outline, report: Report) -> tuple[RunbookPage, ...]:
    """The pages of all ids in the report, in its order.

    Commands are filled with the values of the first finding of an id.
    """
    ids = dict.fromkeys(_ids(page))
    first: dict[str, Reported] = {}
    for finding in report.findings:
        first.setdefault(finding.id, finding)
    return tuple(
        written for id in ids if id in first and (written := _page(first[id], report)) is not None
    )


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
    title, _, body = page.body.strip().partition("\n")
    filled = _with_values(body, finding.finding.variables, report.docker)
    text = Markup(_markdown().render(filled))  # noqa: S704 - the renderer escapes
    return RunbookPage(finding.id, title.lstrip("# "), text)


def _with_values(body: str, variables: Mapping[str, str], docker: str) -> str:
    """The body with the finding's values in its blocks of commands, and only there."""
    lines = []
    is_command = False
    for line in body.split("\n"):
        if line.startswith(("```", "~~~")):
            is_command = not is_command
        elif is_command:
            line = clean(runbooks.fill(line, variables, docker))
        lines.append(line)
    return "\n".join(lines)


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
