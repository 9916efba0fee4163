"""The command line: options in, report out, exit code. No logic of its own.

Each command imports what it needs: `--help` and completion load neither engine nor checks.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click
from click.core import ParameterSource

from diagnose.version import __version__

if TYPE_CHECKING:
    from diagnose.model import Check, Report
    from diagnose.questions.run import Options

UNKNOWN = 3
"""The exit code of every usage error and crash of ours: click's own 2 would read as critical."""


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
        raise click.BadParameter(f"{value!r} is not a duration such as 90s, 30m, 24h or 7d") from error
    if not 0 < seconds < 10**9:
        raise click.BadParameter(f"{value!r} is out of range: it must be more than 0 s and less than 30 years")
    return seconds


def _path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    """A path as it is; an empty one is a variable that was not set, and no wish for the default."""
    if value == "":
        raise click.BadParameter("it is empty")
    return Path(value) if value is not None else None


def _bytes(_: click.Context, __: click.Parameter, value: str) -> int:
    """A size as people write it: 10M, 500k, 2G, in powers of ten."""
    unit = {"k": 10**3, "m": 10**6, "g": 10**9}.get(value[-1:].lower())
    try:
        size = int(float(value[:-1] if unit else value) * (unit or 1))
    except (ValueError, OverflowError) as error:
        raise click.BadParameter(f"{value!r} is not a size such as 10M or 500k") from error
    if size < 10_000:
        raise click.BadParameter(f"{value!r} is too small for any bundle")
    return size


Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]


def _options(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order in which the help shows them."""

    def apply(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


# An option that is a field of `questions.run.Options` has the field's name.
_container = click.option(
    "--container",
    "containers",
    multiple=True,
    metavar="NAME|ID",
    help="Only what is about this container, and what may cause it. Repeatable.",
)
_from = click.option(
    "--from",
    "source",
    type=click.Path(),
    callback=_path,
    metavar="BUNDLE",
    help="Judge a bundle or a recorded folder instead of this host.",
)
_budget = click.option(
    "--budget",
    "budget_s",
    callback=_seconds,
    default="10",
    show_default=True,
    metavar="SECONDS",
    help="Time limit for the whole run.",
)
_since = click.option(
    "--since",
    "since_s",
    callback=_seconds,
    default="24h",
    show_default=True,
    metavar="DURATION",
    help="How far back to look at events and logs.",
)
_no_probe = click.option("--no-probe", "probe", flag_value=False, default=True, help="Send no DNS queries.")
_engine = _options(
    click.option("-H", "--host", metavar="URL", help="The engine to ask: unix://, tcp:// or ssh://."),
    click.option("--context", metavar="NAME", help="The docker context to use."),
)
_config = click.option(
    "--config",
    type=click.Path(),
    callback=_path,
    metavar="FILE",
    help="Thresholds and silences, read after the usual files.",
)
_fail_on = click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning", "never"]),
    default="warning",
    show_default=True,
    help="The lowest severity that makes the exit code other than 0.",
)
_no_color = click.option("--no-color", is_flag=True, help="Never use colour (NO_COLOR does the same).")


def _format(*formats: str) -> Decorator:
    return click.option(
        "--format", "format_", type=click.Choice(formats), default="text", show_default=True, help="How it is written."
    )


_run = _options(
    _container,
    _from,
    _format("text", "json", "markdown"),
    click.option(
        "-o",
        "output",
        type=click.Path(),
        callback=_path,
        metavar="FILE",
        help="Write the report to a new file instead of stdout.",
    ),
    _budget,
    _since,
    _fail_on,
    click.option(
        "--resolve",
        multiple=True,
        metavar="NAME",
        help="A name that must resolve, from the host and from its containers. Repeatable.",
    ),
    _no_probe,
    _engine,
    _config,
    click.option("--show-silenced", is_flag=True, help="List the silenced findings too."),
    click.option("--timings", is_flag=True, help="Show where the time went."),
    click.option("-v", "--verbose", is_flag=True, help="List advice, unknowns and skipped checks one by one."),
    _no_color,
    click.option("--record", type=click.Path(), callback=_path, hidden=True),
)
"""The options of a run."""


ASKING = {"host": "-H", "context": "--context", "resolve": "--resolve", "since_s": "--since", "probe": "--no-probe"}
"""Options that say what a host is asked, by the name of their field; a recording was asked already."""

CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class _Group(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does it; a user who names checks without a command gets the command to put before them."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from diagnose import registry

            if args[0].partition(".")[0] not in registry.families():
                raise
            raise click.UsageError(f"no such command {args[0]!r}; did you mean diagnose check {args[0]}?") from None


@click.group(cls=_Group, context_settings=CONTEXT)
@click.version_option(__version__, message="diagnose %(version)s")
def group() -> None:
    """Say what is wrong with a Docker host, what caused it, and what to type next.

    It only reads, and never repairs. Exit codes: 0 nothing found, 1 warnings, 2 critical, 3 unknown.
    """


@group.command("all")
@_run
def all_(**options: Any) -> None:
    """Run every check on this host."""
    from diagnose import registry

    _diagnose(registry.load, None, options)


@group.command()
@click.argument("selectors", nargs=-1, required=True, metavar="SELECTOR...", shell_complete=_complete)
@_run
def check(selectors: tuple[str, ...], **options: Any) -> None:
    """Run some of the checks, by id, family or glob.

    For example: dns, container.oom-killed, 'network.*'. What may have caused the selected findings is looked at too, and
    shown as a cause; only the selected findings count.
    """
    known, selected = _select(selectors)
    _diagnose(lambda: known, selected, options)


@group.command("list")
@click.argument("selectors", nargs=-1, metavar="[SELECTOR]...", shell_complete=_complete)
@_format("text", "json", "markdown")
@_config
def list_(selectors: tuple[str, ...], format_: str, config: Path | None) -> None:
    """List the checks and the thresholds in force.

    Each with its id, severity and title, and the evidence that it needs.
    """
    from diagnose import config as configuration
    from diagnose.render import check_list

    known, selected = _select(selectors or ("*",))
    try:
        thresholds = configuration.load(config).thresholds
    except configuration.ConfigError as error:
        raise click.ClickException(str(error)) from None
    check_list.render([known[each] for each in selected], thresholds, format_, sys.stdout)


@group.command()
@click.argument("id", metavar="ID", shell_complete=_complete)
@click.option("--raw", is_flag=True, help="Print the Markdown as it is written.")
@click.option(
    "--here",
    is_flag=True,
    help="Run the checks and say first why this one finds something here: its causes, what a cure would change, and what"
    " clears each other suspect.",
)
@_from
@_budget
@_since
@_no_probe
@_engine
@_config
@_no_color
def explain(id: str, raw: bool, here: bool, no_color: bool, **options: Any) -> None:
    """Show the runbook page of one check."""
    from diagnose import runbooks
    from diagnose.judgement import selection

    try:
        page = runbooks.page(id)
    except KeyError:
        raise click.UsageError(selection.unknown(id, runbooks.paths())) from None
    if raw:
        sys.stdout.write(page.body)
        return
    if here or options["source"] is not None:
        _explain_here(id, options, no_color)
    from diagnose.render import explain

    explain.render(page, sys.stdout, color=_color(no_color))


def _explain_here(id: str, options: dict[str, Any], no_color: bool) -> None:
    """Why the check finds what it finds on this host, or in the recording."""
    from diagnose import registry, session
    from diagnose.render import here

    try:
        report = session.diagnose(registry.load, None, _asked(options), began=_process_began())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    here.render(id, report, sys.stdout, color=_color(no_color))


@group.command()
@click.option(
    "-o",
    "output",
    type=click.Path(),
    callback=_path,
    metavar="FILE",
    help="Where to write it; - streams it to stdout.",
)
@click.option(
    "--max-size",
    default="10M",
    show_default=True,
    callback=_bytes,
    metavar="SIZE",
    help="The largest archive that the ticket system takes.",
)
@click.option("--review", is_flag=True, help="List every file with its size and redactions, and ask before writing it.")
@click.option("--anonymize", is_flag=True, help="Replace the host's names and addresses with made-up ones.")
@click.option(
    "--map",
    "map_",
    type=click.Path(),
    callback=_path,
    metavar="FILE",
    help="With --anonymize: keep the table of old and new names here.",
)
@_budget
@_since
@_no_probe
@_engine
@_config
def bundle(
    output: Path | None, max_size: int, review: bool, anonymize: bool, map_: Path | None, **options: Any
) -> None:
    """Write one archive for a ticket, without secrets.

    It holds the report, the answers it was made from, and the texts that people ask for, all redacted.

    Exit codes: 0 written, 3 not. A colleague judges it with `diagnose all --from FILE`.
    """
    if map_ and not anonymize:
        raise click.UsageError("--map goes with --anonymize only")
    from diagnose import registry, session
    from diagnose.ticket import write

    try:
        order = write.Order(output, max_size, review, anonymize, map_)
        said = write.deliver(registry.load(), _asked(options), order, began=_process_began())
    except (session.InvalidRequestError, write.NotWrittenError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(said, err=True)
    _leave(0)


@group.command()
@_container
@_since
@_from
@_format("text", "json")
@_budget
@_engine
def timeline(format_: str, **options: Any) -> None:
    """Show what happened lately, in one ordered list.

    Container starts, exits, kills and health, the daemon, the kernel: what the host still knows of the last hours.
    """
    from diagnose import session
    from diagnose import timeline as moments
    from diagnose.render import timeline

    asked = _asked(options, since_too=True)
    try:
        evidence = session.collect(moments.KINDS, asked, began=_process_began())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    width = os.get_terminal_size().columns if sys.stdout.isatty() else 0
    timeline.render(moments.make(evidence, asked.since_s, asked.containers), format_, sys.stdout, width)
    _leave(0)


@group.command()
@click.argument("id", metavar="ID", shell_complete=_complete)
@_from
@_budget
@_engine
def repair(id: str, **options: Any) -> None:
    """Print a script with the smallest repair of what a check found.

    Only prints: pipe it into `sudo sh` to apply it. Known for lost rules of the engine (firewall.chains-missing,
    firewall.dnat-missing, firewall.dnat-stale, firewall.masquerade-missing).
    """
    from diagnose import repair as repairs
    from diagnose import session
    from diagnose.evidence.network.lost_rules import LostRules
    from diagnose.model import Unavailable

    if id not in repairs.RULES:
        raise click.UsageError(f"no repair is computed for {id}; its page has the fixes: diagnose explain {id}")
    try:
        (lost,) = session.collect([LostRules], _asked(options), began=_process_began())
        assert isinstance(lost, LostRules | Unavailable)
        click.echo(repairs.rules_script(lost), nl=False)
    except (session.InvalidRequestError, repairs.NoRepairError) as error:
        raise click.ClickException(str(error)) from None


@group.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@_format("text", "json")
@_fail_on
def diff(old: str, new: str, format_: str, fail_on: str) -> None:
    """Compare two bundles or JSON reports.

    Finding by finding: new, gone, still there, no longer visible. The exit code is that of a run on NEW.
    """
    from diagnose import compare, session
    from diagnose.render import comparison

    try:
        before, after = (compare.load(Path(each)) for each in (old, new))
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    change = compare.compare(before, after)
    comparison.render(change, format_, sys.stdout)
    _leave(compare.exit_code(after, fail_on))


def _select(selectors: Iterable[str]) -> tuple[dict[str, Check], tuple[str, ...]]:
    from diagnose.judgement import selection

    try:
        return selection.resolve(selectors)
    except selection.UnknownSelectorError as error:
        raise click.UsageError(str(error)) from None


def _color(no_color: bool) -> bool | None:
    return False if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _asked(options: Mapping[str, Any], *, since_too: bool = False) -> Options:
    """What the run is to do. A usage error where two options exclude each other.

    since_too: `--since` also says how much of a recording is shown.
    """
    from diagnose.questions.run import Options

    asked = Options(**{name: options[name] for name in Options.__struct_fields__ if name in options})
    if asked.source is not None:
        context = click.get_current_context()
        for name, option in ASKING.items():
            given = context.get_parameter_source(name) is ParameterSource.COMMANDLINE
            if given and not (since_too and name == "since_s"):
                raise click.UsageError(
                    f"{option} does not go with --from: a recording is judged without asking anything"
                )
    if asked.resolve and not asked.probe:
        raise click.UsageError("--resolve does not go with --no-probe: it sends DNS queries")
    return asked


def _diagnose(
    load: Callable[[], Mapping[str, Check]], selected: tuple[str, ...] | None, options: dict[str, Any]
) -> None:
    """One run, of all checks or the selected: the report on stdout or in a file, and the exit code."""
    from diagnose import interrupts, session
    from diagnose.judgement.exit_codes import code_of

    asked = _asked(options)
    path: Path | None = options["output"]
    if path == Path("-"):
        path = None
    output = _open(path) if path else sys.stdout
    try:
        report = session.diagnose(load, selected, asked, began=_process_began())
    except session.InvalidRequestError as error:
        if path:
            path.unlink(missing_ok=True)
        raise click.ClickException(str(error)) from None
    code = code_of(report, options["fail_on"])
    with interrupts.unbroken():
        try:
            _render(report, code, options, output)
            output.flush()
        except OSError as error:
            if path:
                path.unlink(missing_ok=True)
            raise click.ClickException(f"cannot write the report: {error.strerror}") from None
    _leave(code)


def _open(path: Path) -> TextIO:
    """A new file, never an old one, never through a link."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        raise click.ClickException(f"cannot write {path}: it exists, and a report overwrites nothing") from None
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
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
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # a full disk: what was asked for is not there
            code = UNKNOWN
    os._exit(code)


def main() -> NoReturn:
    """Run the command line.

    Every usage error and every crash of ours is exit 3: click's own 2 would read as critical.
    """
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    # A stream that the caller closed: its number must not go to a file or a socket that is opened next.
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115
    sys.stderr = sys.stderr or Path(os.devnull).open("w")  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]
    try:
        group.main(prog_name="diagnose", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        _leave(UNKNOWN)
    except click.ClickException as error:
        click.echo(f"Error: {error.format_message()}", err=True)
        if isinstance(error, click.UsageError) and error.ctx is not None:
            click.echo(f"Try {error.ctx.command_path} --help", err=True)
        _leave(UNKNOWN)
    except click.Abort:
        _leave(UNKNOWN)
    except OSError as error:  # of our own streams: what a collector meets in the world is an answer
        place = f"{error.filename}: " if error.filename else ""
        click.echo(f"Error: {place}{error.strerror or error}", err=True)
        _leave(UNKNOWN)
    except MemoryError:
        click.echo("Error: there is not enough memory; 1 GiB of address space (ulimit -v) is enough", err=True)
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
