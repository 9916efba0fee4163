"""`diagnose all` and `diagnose check`: one run, and its report on stdout or in a file."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TextIO

import click

from diagnose.cli import on, options, process
from diagnose.plain_file import new_file

if TYPE_CHECKING:
    from diagnose.model import Check, Json, Report


SIMPLE = ("junit", "sarif", "csv")
"""Formats whose module needs the report alone."""
WITH_CODE = {
    "html": "html.page",
    "llm": "formats.llm",
    "markdown": "formats.markdown",
    "prometheus": "formats.prometheus",
}
"""The modules of formats that show the exit code too."""


@click.command("all", cls=on.RemotableCommand)
@options.run
def all_(**given: Any) -> None:
    """Run every check on this host."""
    from diagnose import registry

    _diagnose(registry.load, None, given)


@click.command(cls=on.RemotableCommand)
@click.argument(
    "selectors", nargs=-1, required=True, metavar="SELECTOR...", shell_complete=options.complete_id
)
@options.run
def check(selectors: tuple[str, ...], **given: Any) -> None:
    """Run some of the checks, by id, family or glob.

    For example: dns, container.oom-killed, 'network.*'. Checks that could explain the selected
    findings run too. What they find is shown as a cause, and does not change the exit code.
    """
    selection = options.selected(selectors)
    _diagnose(lambda: selection.checks, selection.ids, given)


def _diagnose(
    load: Callable[[], Mapping[str, Check]], selected: tuple[str, ...] | None, given: dict[str, Any]
) -> None:
    """One run, of all checks or the selected.

    The report on stdout or in a file, and the exit code.
    """
    from diagnose import session
    from diagnose.compare import without_known
    from diagnose.judgement.exit_codes import code_of

    request = options.of_run(given)
    baseline = _baseline(given["baseline"])
    destination = _Destination.of(given)
    began = process.began()
    last_moment = process.LastMoment(
        began, request.budget_s, lambda sentence: _give_up(sentence, destination, given["format_"])
    )
    last_moment.watch_start()
    try:
        report = session.diagnose(
            lambda: _load_watched(load, last_moment),
            selected,
            request,
            began=began,
            shown=_drawn_evidence(given["format_"]),
        )
    except session.InvalidRequestError as error:
        destination.discard()
        raise click.ClickException(str(error)) from None
    last_moment.called_off()
    report = without_known(report, baseline)
    code = code_of(report, given["fail_on"])
    _deliver(report, code, given, destination)
    process.leave(code)


class _Destination(NamedTuple):
    """The destination of a report: stdout, a new file, or the place of older metrics."""

    stream: TextIO
    path: Path | None = None
    """The new file."""
    metrics: Path | None = None
    """The file of metrics. A reader may come at any moment: it is written once all is known."""

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> _Destination:
        path: Path | None = given["output"]
        if path is None or path == Path("-"):
            return cls(sys.stdout)
        if given["format_"] == "prometheus":
            return cls(sys.stdout, metrics=path)
        return cls(_new_file(path), path)

    def discard(self) -> None:
        """Remove the new file, which holds no report, or a part of one."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def _load_watched(
    load: Callable[[], Mapping[str, Check]], last_moment: process.LastMoment
) -> Mapping[str, Check]:
    """The checks. From here on the process may have threads: its helpers are forked."""
    from diagnose.recording.recorder import in_thread

    signal.setitimer(signal.ITIMER_REAL, 0)
    in_thread(last_moment.watch)
    return load()


def _deliver(report: Report, code: int, given: dict[str, Any], destination: _Destination) -> None:
    """Write the report, and send it to whoever should have it. No signal interrupts that."""
    from diagnose import interrupts

    with interrupts.unbroken():
        try:
            if destination.metrics is not None:
                _replace(destination.metrics, report, code)
            else:
                _render(report, code, given, destination.stream)
            destination.stream.flush()
            if given["metrics"]:
                _replace(given["metrics"], report, code)
            if given["push"]:
                _push(given["push"], report)
            if given["otlp"]:
                _send(given["otlp"], report)
        except BrokenPipeError:
            raise
        except OSError as error:
            destination.discard()
            raise click.ClickException(f"cannot write the report: {error.strerror}") from None


def _give_up(sentence: str, destination: _Destination, format_: str) -> None:
    """Say why there is no report: where it was asked for, if that takes a line of text."""
    destination.discard()
    if format_ == "text" and destination.path is None:
        os.write(1, f"UNKNOWN {sentence}\n".encode())
    else:
        os.write(2, f"Error: {sentence}\n".encode())


def _baseline(path: Path | None) -> Mapping[str, Json] | None:
    """The report that `--baseline` names. Read before the run: a mistyped name costs no time."""
    if path is None:
        return None
    from diagnose import compare, session

    try:
        return compare.load(path)
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None


def _drawn_evidence(format_: str) -> tuple[type, ...]:
    """The evidence that a format draws, beside what the checks need."""
    if format_ != "html":
        return ()
    from diagnose.render.html import page

    return page.KINDS


def _new_file(path: Path) -> TextIO:
    """A new file, never an old one, never through a link."""
    try:
        handle = new_file(path)
    except FileExistsError:
        raise click.ClickException(
            f"cannot write {path}: it exists, and a report overwrites nothing"
        ) from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def _push(url: str, report: Report) -> None:
    """The report to the object store; the address on stderr."""
    from io import StringIO

    from diagnose.fleet import bucket
    from diagnose.render.formats import json

    text = StringIO()
    json.render(report, text)
    if report.profile is not None and report.profile.name:
        name = report.profile.name
    else:
        name = report.host.name
    try:
        click.echo(
            f"pushed to {bucket.push(url, name, report.taken_at, text.getvalue())}", err=True
        )
    except bucket.PushError as error:
        raise click.ClickException(str(error)) from None


def _send(url: str, report: Report) -> None:
    """The roots to a collector; how many on stderr."""
    from diagnose.phrases import count
    from diagnose.render.formats import telemetry

    try:
        number = telemetry.send(url, report)
    except telemetry.SendError as error:
        raise click.ClickException(str(error)) from None
    click.echo(f"sent {count(number, 'log record')} to {url}", err=True)


def _replace(path: Path, report: Report, code: int) -> None:
    """The metrics of this run in the place of the last one's."""
    from io import StringIO

    from diagnose import state_file
    from diagnose.render.formats import prometheus

    text = StringIO()
    prometheus.render(report, code, text)
    try:
        state_file.replace(path, text.getvalue(), prometheus.FIRST_LINE)
    except state_file.NotReplacedError as error:
        raise click.ClickException(str(error)) from None


def _render(report: Report, code: int, given: dict[str, Any], output: TextIO) -> None:
    """Write the report in the wanted format; the module of no other format is imported."""
    format_ = given["format_"]
    if format_ == "json":
        from diagnose.render.formats import json

        json.render(report, output, timings=given["timings"])
    elif format_ in SIMPLE:
        importlib.import_module(f"diagnose.render.formats.{format_}").render(report, output)
    elif format_ in WITH_CODE:
        module = importlib.import_module(f"diagnose.render.{WITH_CODE[format_]}")
        module.render(report, code, output)
    else:
        from diagnose.cli import reader
        from diagnose.render import terminal

        terminal.render(
            report,
            code,
            output,
            color=options.color(given["no_color"]) if output is sys.stdout else False,
            detail=terminal.ReportDetail(
                verbose=given["verbose"], silenced=given["show_silenced"], timings=given["timings"]
            ),
            shell=reader.shell(given["source"]),
        )
