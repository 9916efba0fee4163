"""The text report: an outline on a terminal of any width, readable without colour.

Colour only repeats what a word says.
"""

from collections.abc import Iterable
from typing import TextIO

import msgspec
from rich.console import Console
from rich.text import Text

from diagnose.model import Report, Severity
from diagnose.phrases import ago, and_more, count, size
from diagnose.render.console import is_read_by_person, literal
from diagnose.render.outlines.evidence_rows import OutlinePart
from diagnose.render.outlines.outline import MOST_ROOTS, NAMES_SHOWN, Outline, outline
from diagnose.render.outlines.outline_block import Effect, OutlineBlock
from diagnose.render.shell import ASKS, Shell, is_wall
from diagnose.render.terminal_rows import TerminalRows
from diagnose.render.words import (
    fitting,
    ids_or_families,
    items_that_fit,
    middle,
    one_line,
    short_ids,
    without_layers,
)

STYLES = {Severity.critical: "bold red", Severity.warning: "yellow", Severity.advice: "cyan"}
_WORDS_OF_SEVERITIES = {severity.name.upper(): style for severity, style in STYLES.items()}
WORDS = {"OK": "green", "UNKNOWN": "magenta", **_WORDS_OF_SEVERITIES}
"""The style of the first word of a report."""
BAR = 18
SIZE = 10
UNKNOWN_SHOWN = 6
EVIDENCE_INDENT = 4
EVIDENCE_LINES = 3
LOG_LINES = 15
"""So many lines of the screen a value may take; the line of a log that explains a failure is shown
whole."""
START_ERROR = "State.Error"
LINES_OF = {"log": LOG_LINES, START_ERROR: 2}
"""What the engine said of a failed start is long, and the sentence says what it means."""
UNEXPLAINED_SHOWN = 3
MOST_CHANGES = 5
"""So many changes are shown of a host on which nothing was found."""
MOST_BLOCKS = 100
"""Nobody reads more, and each takes a millisecond: 4,000 would take longer than most budgets. With
`-v` there are more."""
COMMAND_INDENT = 6
"""Deeper than any prose, so that a command differs from words without colour too."""
COMMAND_LINES = 3
"""A fix of more lines is nothing to copy from a screen: `diagnose follow` shows it step by step."""


class ReportDetail(msgspec.Struct, frozen=True):
    """The parts of a report that the user chose beside its problems."""

    verbose: bool = False
    """Advice, skipped and unknown checks one by one."""
    silenced: bool = False
    timings: bool = False
    is_answer: bool = False
    """Whether the report answers a question; else one without a problem says how to ask."""


def render(
    report: Report,
    code: int,
    stream: TextIO,
    *,
    color: bool | None,
    width: int | None = None,
    detail: ReportDetail = ReportDetail(),  # noqa: B008 - it is frozen
    shell: Shell = Shell(),  # noqa: B008 - it is frozen
) -> None:
    """Print the report.

    color None: as the stream can. shell: where its commands will be typed.
    """
    console = literal(stream, color=color, width=width)
    sees_host = report.source == "live" and shell.can_follow and report.docker == "docker"
    page = _Page(console, verbose=detail.verbose, shell=shell, sees_host=sees_host)
    shown = outline(report, code, MOST_ROOTS if detail.verbose else MOST_BLOCKS)
    page.print(shown)
    if not detail.is_answer and shown.word in ("OK", Severity.advice.name.upper()):
        page.if_it_fails(shown, report)
    if detail.silenced:
        for finding in report.findings:
            if finding.silenced:
                page.line(f"{finding.id}  {finding.subject.name}: silenced, {finding.silenced}", 2)
    if detail.timings:
        page.timings(report)


def say(texts: Iterable[str], stream: TextIO, *, color: bool | None) -> None:
    """Print words beside a report, each text in rows of the same width as the report has."""
    page = _Page(literal(stream, color=color), verbose=False, shell=Shell(), sees_host=False)
    for text in texts:
        page.line(text, hanging=2)


QUESTIONS = (
    ('diagnose ask "THE ERROR MESSAGE"', "what it means on this host"),
    ("diagnose path CONTAINER HOST:PORT", "each hop of a connection"),
)
"""Commands for what no check has found, with what they show."""


class _Page(TerminalRows):
    def __init__(self, console: Console, *, verbose: bool, shell: Shell, sees_host: bool) -> None:
        """sees_host: whether the tool examines the reported host where the reader types."""
        super().__init__(console, shell)
        self.sees_host = sees_host
        self.verbose = verbose
        self.cure_above = ""
        """The words of the last cure."""
        self.pages: set[str] = set()
        """The ids of the pages that were pointed at."""

    def print(self, page: Outline) -> None:
        """Write the whole report."""
        self.head(page)
        for note in page.notes:
            self.line(f"note: {note}")
        for block in page.blocks:
            self.block(block)
        self.further(page)
        self.unexplained("also worth a look", page.unexplained, page.more_unexplained)
        self.unexplained("logged by programs that keep working", page.asides, page.more_asides)
        self.advice(page)
        self.not_judged(page)
        if page.silenced:
            self.line(f"silenced ({page.silenced})  --show-silenced lists them")

    def if_it_fails(self, page: Outline, report: Report) -> None:
        """Print where to look if this report is calm and a service fails all the same.

        Nothing follows one line that no person reads.
        """
        changes = report.changes if is_read_by_person(self.console) else ()
        if self.is_one_line(page) and not changes:
            return
        self.console.print()
        if changes:
            self.line("changed recently")
            for change in changes[:MOST_CHANGES]:
                self.line(f"{ago(report.taken_at - change.at)}: {change.text}", 2)
            if len(changes) > MOST_CHANGES:
                more = count(len(changes) - MOST_CHANGES, "earlier change")
                self.line(f"and {more}", 2)
            self.console.print()
        self.line("Does something fail all the same?")
        rows = [(self.shell.typed(command), words) for command, words in QUESTIONS]
        width = max(len(command) for command, _ in rows)
        for command, words in rows:
            self.line(f"{command:<{width}}  {words}", 2)

    def is_one_line(self, page: Outline) -> bool:
        """Whether there is nothing to read below the first line."""
        return not page.blocks and not page.advice and not self.verbose

    def head(self, page: Outline) -> None:
        """The status, the host and what was traced.

        All in one line where there is nothing to read below.
        """
        word, _, rest = page.status.partition(" ")
        is_one_line = self.is_one_line(page)
        if is_one_line:
            rest += f" - {page.host}"
        status = Text.assemble((word, WORDS[word]), " ", one_line(rest))
        if is_read_by_person(self.console):
            self.rows(status, 0, 2)
        else:
            # monitoring reads the first line and no other
            self.console.print(status, soft_wrap=True)
        if not is_one_line:
            self.line(page.host)
        if page.coverage and (self.verbose or not page.blocks):
            self.line(page.coverage)

    def further(self, page: Outline) -> None:
        """The roots that have no block, counted by id."""
        if not page.further:
            return
        items = [f"{id} {number}" for id, number in page.further]
        roots = len(page.blocks) + sum(number for _, number in page.further)
        is_listed = not self.verbose and roots <= MOST_ROOTS
        hint = "-v lists them" if is_listed else "--format json lists them"
        self.console.print()
        self.filled("further findings", items, hint)

    def not_judged(self, page: Outline) -> None:
        """The checks without a judgement, each with its reason."""
        self.reasons(f"{count(page.could_not_run, 'check')} could not run.", page.unknown)
        number = f" ({len(page.crashed)})" if len(page.crashed) > 1 else ""
        self.reasons(f"crashed (a bug of this tool, please report it){number}", page.crashed)
        if self.verbose:
            verb = "does" if page.do_not_apply == 1 else "do"
            title = f"{count(page.do_not_apply, 'check')} {verb} not apply."
            self.reasons(title, page.skipped)

    def block(self, block: OutlineBlock) -> None:
        """A root with its evidence, what it explains, and what to do next."""
        self.console.print()
        name = self.names(block.subjects, max(20, self.console.width - len(block.id) - 14))
        title = Text.assemble(
            (f"{str(block.severity).upper():<8}", STYLES[block.severity]),
            "  ",
            (block.id, "bold"),
            "  ",
            one_line(name),
        )
        if block.because_of_selection:
            title.append("  (shown as a cause)")
        self.console.print(title)
        # evidence begins where a hanging row would: the sentence has to differ from it
        self.line(short_ids(block.summary), 2, hanging=2)
        self.parts(block.parts)
        for path, value in (*block.evidence, *(block.more_evidence if self.verbose else ())):
            self.evidence(path, value)
        if block.made_by:
            self.line(f"made by {block.made_by}", 4, "dim")
        if block.effects:
            self.line("explains", 2)
            for effect in block.effects:
                self.effect(effect)
        self.others(block)
        self.what_next(block)

    def evidence(self, path: str, value: str) -> None:
        """Print a value with its source, as far as there is room."""
        lines = LINES_OF.get(path, EVIDENCE_LINES)
        if self.verbose:
            lines = LOG_LINES
        elif path == START_ERROR:
            value = without_layers(value)
        label = f"{short_ids(path)}: "
        room = lines * (self.console.width - EVIDENCE_INDENT - 2) - len(label)
        self.line(f"{label}{fitting(short_ids(value), room)}", EVIDENCE_INDENT, "dim")

    def parts(self, parts: tuple[OutlinePart, ...]) -> None:
        """Shares of a whole as bars, one line each.

        A share is named with as much of what it holds as there is room for.
        """
        most = max((part.bytes for part in parts), default=0)
        names = min(18, max((len(part.name) for part in parts), default=0))
        width_left = self.console.width - names - SIZE - 10
        bars = min(BAR, width_left // 3)
        for part in parts:
            share = bars * part.bytes / (most or 1)
            bar = "#" * max(bool(part.bytes), round(share))
            row = f"{middle(part.name, names):<{names}}{size(part.bytes):>{SIZE}}  {bar:<{bars}}"
            self.line(f"{row}  {items_that_fit(part.note, width_left - bars)}".rstrip(), 4)

    def effect(self, effect: Effect) -> None:
        text = effect.summary if len(effect.subjects) == 1 else self.names(effect.subjects, 60)
        self.line(f"{effect.id:<24}  {text}  ({effect.strength})", 4)
        if self.verbose:
            self.line(f"because: {effect.because}", 6, "dim")

    def others(self, block: OutlineBlock) -> None:
        """Other causes.

        Those that share effects of this root, those that may explain the root, and those that do
        not.
        """
        for other in block.others:
            if other.jointly:
                self.line(f"fix {other.id} ({other.subject}) too: both cause this", 4)
            else:
                to_check = "; to tell them apart:" if other.command else ""
                self.line(f"or caused by {other.id} ({other.subject}){to_check}", 4)
                self.command(other.command, COMMAND_INDENT)
        for suspect in block.possible:
            to_check = "; to check:" if suspect.command else ""
            self.line(f"possible cause: {suspect.id} ({suspect.subject}){to_check}", 2)
            self.command(suspect.command, COMMAND_INDENT)
        if self.verbose:
            for suspect_name, fact in block.ruled_out:
                self.line(f"not due to {suspect_name}: {fact}", 2, "dim")

    def what_next(self, block: OutlineBlock) -> None:
        """The cure with its risk.

        A look comes first where the cure destroys data or none is known.
        """
        if block.by_hand:
            self.line(f"fix (by hand): {self.once(block.by_hand)}", 2)
        if block.look is not None:
            self.look(block.look_title, block.look.text, block.followed)
        if block.cure is not None:
            text = block.cure.text
            is_long = text.count("\n") >= COMMAND_LINES and self.shell.can_follow
            needs = self.needs(text)
            words = self.once(block.cure.impact)
            if is_long:
                words = f"{words.rstrip(':.')}. {ASKS}" if words else ASKS
            impact = f": {words}" if words else ""
            self.line(f"fix ({block.cure.risk}{needs}){impact}", 2)
            self.command(f"diagnose follow {block.followed}" if is_long else text, COMMAND_INDENT)
        self.more(block.id)

    def once(self, text: str) -> str:
        """The words of a cure; of long ones that stand in the block above, no more than that."""
        if text == self.cure_above and len(text) > self.console.width:
            return "as above"
        self.cure_above = text
        return text

    def more(self, id: str) -> None:
        """Print where to read on, once for each page."""
        if id not in self.pages:
            where = " --here" if self.sees_host else ""
            self.command(f"more  diagnose explain {id}{where}", 2, style="")
        self.pages.add(id)

    def look(self, title: str, command: str, followed: str) -> None:
        """A command under its title, which says whether this user may run it."""
        needs = self.needs(command)
        note = f" ({needs.removeprefix(', ')})" if needs else ""
        if self.shell.can_follow and is_wall(command, self.console.width - COMMAND_INDENT):
            command = f"diagnose follow {followed}"
            note = f"{note}. {ASKS}"
        self.line(f"{title}{note}", 2)
        self.command(command, COMMAND_INDENT)

    def needs(self, command: str) -> str:
        return ", needs root" if self.shell.needs_root(command) else ""

    def unexplained(self, title: str, blocks: tuple[OutlineBlock, ...], further: int) -> None:
        """Print the complaints of containers that no finding explains.

        further: how many more complain, for which there is no block.
        """
        if not blocks:
            return
        self.console.print()
        self.line(title)
        shown = blocks if self.verbose else blocks[:UNEXPLAINED_SHOWN]
        for block in shown:
            self.line(block.summary, 2)
        more = len(blocks) - len(shown) + further
        if more:
            hint = "" if self.verbose else ", -v lists them"
            self.line(f"and {count(more, 'container')} more{hint}", 2)
        self.more(blocks[0].id)

    def advice(self, page: Outline) -> None:
        """The advice by id with its number of subjects; each finding only where all is shown."""
        if not page.advice:
            return
        self.console.print()
        if not self.verbose:
            self.filled(
                "advice",
                [f"{advice.id} {len(advice.subjects)}" for advice in page.advice],
                "-v lists them",
            )
            return
        self.line("advice")
        for advice in page.advice:
            self.line(f"{advice.id}  {self.names(advice.subjects, 60)}", 2, "bold")
            self.line(advice.summary, 4)

    def reasons(self, title: str, rows: tuple[tuple[str, str], ...]) -> None:
        if not rows:
            return
        self.console.print()
        shown = rows if self.verbose else rows[:UNKNOWN_SHOWN]
        self.line(title)
        for ids, why in shown:
            names = ids if self.verbose else ids_or_families(ids)
            self.line(f"{names}: {short_ids(why)}" if why else names, 2)
        if len(rows) > len(shown):
            more = count(len(rows) - len(shown), "more reason")
            self.line(f"and {more}, -v lists them", 2)

    def names(self, subjects: tuple[str, ...], width: int) -> str:
        """The first names and how many more there are.

        Each is cut in its middle where it is too long.
        """
        shown = subjects if self.verbose else subjects[:NAMES_SHOWN]
        room = max(12, width // max(1, len(shown)) - 2)
        return and_more([middle(name, room) for name in subjects], len(shown))

    def timings(self, report: Report) -> None:
        """Print the slowest questions and checks."""
        self.console.print()
        self.line("slowest questions and checks")
        slow = sorted(report.timings, key=lambda row: -row[1])[:12]
        for name, seconds in slow:
            self.line(f"{seconds * 1000:8.1f} ms  {middle(name, 60)}", 2)
        for result in sorted(report.results, key=lambda result: -result.duration_s)[:6]:
            self.line(f"{result.duration_s * 1000:8.1f} ms  check {result.check.id}", 2)
