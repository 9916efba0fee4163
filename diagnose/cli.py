"""The command line: options in, report out, exit code. No logic of its own.

Each command imports what it needs: `--help` and completion load neither engine nor checks.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

from diagnose.version import __version__

if TYPE_CHECKING:
    from diagnose.model import Check, Report

UNKNOWN = 3
"""The exit code of every usage error and crash of ours: click's own 2 would read as critical."""
FORMATS = ("text", "json", "markdown")


def _complete(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    from diagnose import registry

    known = registry.load()
    names = [*sorted(registry.families()), *known]
    return [name for name in names if name.startswith(incomplete)]


def _seconds(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """A duration as people write it: 90, 90s, 30m, 24h, 7d."""
    if value is None:
        return None
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value[-1:].lower())
    try:
        seconds = float(value[:-1] if unit else value) * (unit or 1)
    except ValueError as error:
        raise click.BadParameter(f"{value!r} is no duration (90s, 30m, 24h, 7d)") from error
    if not 0 < seconds < 10**9:
        raise click.BadParameter(f"{value!r} is not a positive duration")
    return seconds


def _given(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """A path as it is; an empty one is a variable that was not set, and no wish for the default."""
    if value == "":
        raise click.BadParameter("it is empty")
    return value


def _bytes(_: click.Context, __: click.Parameter, value: str) -> int:
    """A size as people write it: 10M, 500k, 2G, in powers of ten."""
    unit = {"k": 10**3, "m": 10**6, "g": 10**9}.get(value[-1:].lower())
    try:
        size = int(float(value[:-1] if unit else value) * (unit or 1))
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is no size (10M, 500k)") from error
    if size < 10_000:
        raise click.BadParameter(f"{value!r} is too small for any bundle")
    return size


def _run_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """The options that every run takes."""
    options = [
        click.option(
            "--container",
            "containers",
            multiple=True,
            metavar="NAME",
            help="Only findings about it and what may cause them. Repeatable.",
        ),
        click.option(
            "--from",
            "source",
            type=click.Path(),
            callback=_given,
            metavar="BUNDLE",
            help="Judge a bundle or a recorded folder, not this host.",
        ),
        click.option(
            "--format",
            "format_",
            type=click.Choice(FORMATS),
            default="text",
            show_default=True,
            help="How the report is written.",
        ),
        click.option(
            "-o",
            "output",
            type=click.Path(),
            callback=_given,
            metavar="FILE",
            help="Write the report to a new file, not to stdout.",
        ),
        click.option(
            "--budget",
            callback=_seconds,
            default="10",
            show_default=True,
            metavar="SECONDS",
            help="The whole run, from the start of the process.",
        ),
        click.option(
            "--since",
            callback=_seconds,
            default="24h",
            show_default=True,
            metavar="DURATION",
            help="How far back events and logs are looked at.",
        ),
        click.option(
            "--fail-on",
            type=click.Choice(["critical", "warning", "never"]),
            default="warning",
            show_default=True,
            help="The severity from which the exit code is not 0.",
        ),
        click.option(
            "--resolve",
            "resolve",
            multiple=True,
            metavar="NAME",
            help="A name that must resolve, from the host and from containers.",
        ),
        click.option("--no-probe", "probe", flag_value=False, default=True, help="Send no DNS query at all."),
        click.option("-H", "--host", metavar="URL", help="The engine to ask (unix://, tcp://, ssh://)."),
        click.option("--context", metavar="NAME", help="The docker context to use."),
        click.option(
            "--config",
            "config_file",
            type=click.Path(dir_okay=False),
            metavar="FILE",
            help="Thresholds and silenced findings, read after the usual ones.",
        ),
        click.option("--show-silenced", is_flag=True, help="List the findings that the configuration silences."),
        click.option("--timings", is_flag=True, help="Show where the run's time went."),
        click.option("-v", "--verbose", is_flag=True, help="List advice, unknowns and skipped checks one by one."),
        click.option("--no-color", is_flag=True, help="Never use colour (NO_COLOR does the same)."),
        click.option("--record", type=click.Path(file_okay=False), hidden=True),
    ]
    for option in reversed(options):
        command = option(command)
    return command


CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; who forgot the command and named checks is told which one to put before them."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from diagnose import registry

            if args[0].partition(".")[0] not in registry.families():
                raise
            raise _usage(f"no such command {args[0]!r}; did you mean diagnose check {args[0]}?") from None


@click.group(cls=_Group, context_settings=CONTEXT)
@click.version_option(__version__, message="diagnose %(version)s")
def group() -> None:
    """Say what is wrong with a Docker host, what caused it, and what to type next.

    It reads; it never repairs. Exit codes: 0 nothing found, 1 warnings, 2 critical, 3 unknown.
    """


@group.command("all")
@_run_options
def all_(**options: Any) -> None:
    """Run every check on this host."""
    from diagnose import registry

    known = registry.load()
    _diagnose(known, tuple(known), options)


@group.command()
@click.argument("selectors", nargs=-1, required=True, metavar="SELECTOR...", shell_complete=_complete)
@_run_options
def check(selectors: tuple[str, ...], **options: Any) -> None:
    """Run the checks of an id, a family or a glob.

    For example dns, container.oom-killed, 'network.*'. What may cause the selected findings is looked at too and shown as
    a cause; only the selected count.
    """
    known, selected = _select(selectors)
    _diagnose(known, selected, options)


@group.command("list")
@click.argument("selectors", nargs=-1, metavar="[SELECTOR]...", shell_complete=_complete)
@click.option("--format", "format_", type=click.Choice(["text", "json", "markdown"]), default="text", show_default=True)
@click.option(
    "--config",
    "config_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Configuration read after the usual files.",
)
def list_(selectors: tuple[str, ...], format_: str, config_file: str | None) -> None:
    """List the checks and the thresholds in force.

    With id, severity, title and what each needs to see.
    """
    from diagnose import config
    from diagnose.render import catalogue

    known, selected = _select(selectors or ("*",))
    catalogue.render([known[each] for each in selected], config.load(config_file).thresholds, format_, sys.stdout)


@group.command()
@click.argument("id", metavar="ID", shell_complete=_complete)
@click.option("--raw", is_flag=True, help="The Markdown as it is written.")
@click.option("--no-color", is_flag=True, help="Never use colour (NO_COLOR does the same).")
def explain(id: str, raw: bool, no_color: bool) -> None:
    """Show the runbook page of one check."""
    from diagnose import runbooks, selection

    try:
        page = runbooks.page(id)
    except KeyError:
        raise _usage(selection.unknown(id, runbooks.paths())) from None
    if raw:
        sys.stdout.write(page.body)
        return
    from diagnose.render import manual

    manual.render(page, sys.stdout, color=_color(no_color))


@group.command()
@click.option("-o", "output", default=None, metavar="FILE", help="Where it goes; - streams it to stdout.")
@click.option(
    "--max-size",
    default="10M",
    show_default=True,
    callback=_bytes,
    metavar="SIZE",
    help="What the ticket system takes.",
)
@click.option(
    "--review", is_flag=True, help="List every file with its size and redactions, and ask before it is written."
)
@click.option("--anonymize", is_flag=True, help="With other names and addresses than the host's.")
@click.option(
    "--map", "map_", type=click.Path(), metavar="FILE", help="With --anonymize: keep the old names and the new here."
)
@click.option("--budget", callback=_seconds, default="10", show_default=True, metavar="SECONDS", help="The run itself.")
@click.option("--since", callback=_seconds, default="24h", show_default=True, metavar="DURATION", help="How far back.")
@click.option("--no-probe", "probe", flag_value=False, default=True, help="Send no DNS query at all.")
@click.option("-H", "--host", metavar="URL", help="The engine to ask (unix://, tcp://, ssh://).")
@click.option("--context", metavar="NAME", help="The docker context to use.")
@click.option("--config", "config_file", type=click.Path(dir_okay=False), metavar="FILE")
def bundle(
    output: str | None,
    max_size: int,
    review: bool,
    anonymize: bool,
    map_: str | None,
    config_file: str | None,
    **options: Any,
) -> None:
    """Write one archive for a ticket, without secrets.

    In it: the report, the answers it was made from, and the texts people ask for; all of it redacted.

    Exit codes: 0 written, 3 not. A colleague judges it with `diagnose all --from FILE`.
    """
    if map_ and not anonymize:
        raise _usage("--map is of use with --anonymize only")
    from diagnose import registry, run
    from diagnose.ticket import deliver

    asked = run.Asked(
        host=options["host"],
        context=options["context"],
        probe=options["probe"],
        budget_s=options["budget"],
        since_s=options["since"],
        config=config_file,
    )
    try:
        order = deliver.Order(output, max_size, review, anonymize, map_)
        said = deliver.deliver(registry.load(), asked, order, began=_process_began())
    except (run.AskedWrongError, deliver.NotWrittenError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(said, err=True)
    _leave(0)


@group.command()
@click.option("--container", "containers", multiple=True, metavar="NAME", help="Only what is about it. Repeatable.")
@click.option("--since", callback=_seconds, default="24h", show_default=True, metavar="DURATION", help="How far back.")
@click.option(
    "--from",
    "source",
    type=click.Path(),
    callback=_given,
    metavar="BUNDLE",
    help="Read a bundle or a recorded folder, not this host.",
)
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--budget", callback=_seconds, default="10", show_default=True, metavar="SECONDS")
@click.option("-H", "--host", metavar="URL", help="The engine to ask (unix://, tcp://, ssh://).")
@click.option("--context", metavar="NAME", help="The docker context to use.")
def timeline(containers: tuple[str, ...], format_: str, **options: Any) -> None:
    """Show what happened lately, in one ordered list.

    Container starts, exits, kills and health, the daemon, the kernel: what the host still knows of the last hours.
    """
    from diagnose import run
    from diagnose import timeline as moments
    from diagnose.render import history

    asked = run.Asked(
        host=options["host"],
        context=options["context"],
        budget_s=options["budget"],
        since_s=options["since"],
        containers=containers,
        source=Path(options["source"]) if options["source"] else None,
    )
    try:
        evidence = run.collect(moments.KINDS, asked, began=_process_began())
    except run.AskedWrongError as error:
        raise _usage(str(error)) from None
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 0
    history.render(moments.make(evidence, asked.since_s, containers), format_, sys.stdout, width)
    _leave(0)


@group.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@click.option("--format", "format_", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--fail-on", type=click.Choice(["critical", "warning", "never"]), default="warning", show_default=True)
def diff(old: str, new: str, format_: str, fail_on: str) -> None:
    """Compare two bundles or JSON reports.

    Finding by finding: new, gone, still there, no longer visible. The exit code is that of a run on NEW.
    """
    from diagnose import compare, run
    from diagnose.render import comparison

    try:
        before, after = (compare.load(Path(each)) for each in (old, new))
    except run.AskedWrongError as error:
        raise _usage(str(error)) from None
    change = compare.compare(before, after)
    comparison.render(change, format_, sys.stdout)
    _leave(compare.exit_code(after, fail_on))


def _select(selectors: Iterable[str]) -> tuple[dict[str, Check], tuple[str, ...]]:
    from diagnose import selection

    try:
        return selection.resolve(selectors)
    except selection.UnknownSelectorError as error:
        raise _usage(str(error)) from None


def _usage(message: str) -> click.UsageError:
    return click.UsageError(message)


def _color(no_color: bool) -> bool | None:
    return False if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _diagnose(known: dict[str, Check], selected: tuple[str, ...], options: dict[str, Any]) -> None:
    """One run: the report on stdout or in a file, and the exit code."""
    from diagnose import run
    from diagnose.exits import code_of

    asked = run.Asked(
        host=options["host"],
        context=options["context"],
        probe=options["probe"],
        budget_s=options["budget"],
        since_s=options["since"],
        resolve=options["resolve"],
        containers=options["containers"],
        source=Path(options["source"]) if options["source"] else None,
        config=options["config_file"],
        record=Path(options["record"]) if options["record"] else None,
    )
    output = _open(options["output"]) if options["output"] else sys.stdout
    try:
        report = run.diagnose(known, selected, asked, began=_process_began())
    except run.AskedWrongError as error:
        if options["output"]:
            Path(options["output"]).unlink(missing_ok=True)
        raise _usage(str(error)) from None
    code = code_of(report, options["fail_on"])
    _render(report, code, options, output)
    output.flush()
    _leave(code)


def _open(path: str) -> TextIO:
    """A new file, never an old one, never through a link."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise _usage(f"cannot write {path}: {error.strerror}") from None
    return os.fdopen(handle, "w", encoding="utf-8")


def _render(report: Report, code: int, options: dict[str, Any], output: TextIO) -> None:
    if options["format_"] == "json":
        from diagnose.render import json

        json.render(report, output, timings=options["timings"])
    elif options["format_"] == "markdown":
        from diagnose.render import markdown

        markdown.render(report, code, output)
    else:
        from diagnose.render import terminal

        terminal.render(
            report,
            code,
            output,
            color=_color(options["no_color"]) if output is sys.stdout else False,
            verbose=options["verbose"],
            silenced=options["show_silenced"],
            timings=options["timings"],
        )


def _leave(code: int) -> NoReturn:
    """End the process at once: a thread or a helper that is stuck in the kernel must not hold the exit."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.stderr.flush()
    os._exit(code)


def main() -> NoReturn:
    """Run the command line.

    Every usage error and every crash of ours is exit 3: click's own 2 would read as critical.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        group.main(prog_name="diagnose", standalone_mode=False)
    except click.ClickException as error:
        if (
            isinstance(error, click.UsageError)
            and error.ctx is not None
            and not isinstance(error, click.exceptions.NoArgsIsHelpError)
        ):
            click.echo(f"Usage: {error.ctx.command_path} --help shows the options.", err=True)
        click.echo(
            f"Error: {error.format_message()}"
            if not isinstance(error, click.exceptions.NoArgsIsHelpError)
            else error.format_message(),
            err=True,
        )
        _leave(UNKNOWN)
    except click.Abort:
        _leave(UNKNOWN)
    except Exception as error:  # noqa: BLE001 - a crash of ours reads as unknown, and says what to report
        import traceback

        where = traceback.extract_tb(error.__traceback__)[-1]
        at = f"{Path(where.filename).name}:{where.lineno}"
        click.echo(f"Error: a bug of diagnose {__version__}: {type(error).__name__} at {at}", err=True)
        if os.environ.get("DIAGNOSE_DEBUG"):
            traceback.print_exc()
        _leave(UNKNOWN)
    _leave(0)


def _process_began() -> float:
    """When this process began, on the monotonic clock: the budget counts from there, not from our first line."""
    try:
        ticks = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19])
        age = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, AttributeError):
        age = 0.0
    return time.monotonic() - max(0.0, age)
