"""The options of the commands: how each is written and read."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from diagnose.recording.budget import MOST_USUAL_S, USUAL_S, usual_seconds

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from diagnose.judgement.selection import Selection
    from diagnose.questions.run import Options

LONGEST_TEXT = 64 * 1024
"""Characters that are read of an error message on stdin."""


def complete_id(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The families and ids that begin with what was typed so far."""
    from diagnose import packs, registry

    checks = registry.load()
    return _begun(incomplete, [*sorted(packs.families()), *checks])


def complete_container(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The names of containers that begin with what was typed so far."""
    from diagnose.live.commands.container_names import container_names

    return _begun(incomplete, container_names())


def complete_end(_: click.Context, __: click.Parameter, incomplete: str) -> list[str]:
    """The ends of a path that begin with what was typed so far: containers, and two by words."""
    from diagnose.live.commands.container_names import container_names

    return _begun(incomplete, ["host", "internet", *container_names()])


def _begun(incomplete: str, names: Iterable[str]) -> list[str]:
    """The names that begin with what was typed so far."""
    return [name for name in names if name.startswith(incomplete)]


def text_of(words: Sequence[str]) -> str:
    """The typed or pasted words as one text. A single - stands for stdin."""
    return sys.stdin.read(LONGEST_TEXT) if tuple(words) == ("-",) else " ".join(words)


def complete_file(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Leave it to the shell: files and folders."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def parse_duration(_: click.Context, __: click.Parameter, value: str | None) -> float | None:
    """A duration as people write it: 90, 90s, 30m, 24h, 7d."""
    if value is None:
        return None
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}.get(value[-1:].lower())
    try:
        seconds = float(value[:-1] if unit else value) * (unit or 1)
    except ValueError as error:
        raise click.BadParameter(
            f"{value!r} is not a duration such as 90s, 30m, 24h or 7d"
        ) from error
    if not 0 < seconds < 10**9:
        raise click.BadParameter(
            f"{value!r} is out of range: it must be more than 0 s and less than 30 years"
        )
    return seconds


def parse_budget(context: click.Context, parameter: click.Parameter, value: str | None) -> float:
    """The user's time limit; without one that of a usual run, which is longer on a busy host."""
    seconds = parse_duration(context, parameter, value)
    return usual_seconds() if seconds is None else seconds


def parse_path(_: click.Context, __: click.Parameter, value: str | None) -> Path | None:
    """A path as it is; an empty one is a variable that was not set, and no wish for the default."""
    if value == "":
        raise click.BadParameter("it is empty")
    return Path(value) if value is not None else None


def parse_store(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The address of an object store."""
    if value is not None and not (
        value.startswith("s3://") and value.removeprefix("s3://").partition("/")[0]
    ):
        raise click.BadParameter(f"{value!r} is not an address such as s3://BUCKET/PREFIX/")
    return value


def parse_collector(_: click.Context, __: click.Parameter, value: str | None) -> str | None:
    """The address of an OpenTelemetry collector, over HTTP."""
    from urllib.parse import urlsplit

    if value is None:
        return None
    try:
        parts = urlsplit(value)
        is_address = parts.scheme in ("http", "https") and bool(parts.hostname)
    except ValueError:
        is_address = False
    if not is_address:
        raise click.BadParameter(f"{value!r} is not an address such as http://collector:4318")
    return value


def parse_places(_: click.Context, __: click.Parameter, values: Sequence[str]) -> tuple[str, ...]:
    """Ports, each with an address or a name before it or not."""
    for value in values:
        port = value.rpartition(":")[2]
        if not port.isdecimal() or not 0 < int(port) < 2**16:
            raise click.BadParameter(f"{value!r} is not a port such as 8080 or 192.0.2.10:8080")
    return tuple(values)


def parse_size(_: click.Context, __: click.Parameter, value: str) -> int:
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


def combined(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order in which the help shows them."""

    def apply(command: Callable[..., Any]) -> Callable[..., Any]:
        for option in reversed(options):
            command = option(command)
        return command

    return apply


def file_option(*names: str, description: str) -> Decorator:
    """An option that names a file; an empty name is a usage error."""
    return click.option(
        *names, type=click.Path(), callback=parse_path, metavar="FILE", help=description
    )


def container_option(description: str) -> Decorator:
    """An option that names containers, as often as it is given."""
    return click.option(
        "--container",
        "containers",
        multiple=True,
        metavar="NAME|ID",
        help=description,
        shell_complete=complete_container,
    )


# An option that is a field of `questions.run.Options` has the field's name.
container = container_option(
    "Only findings about this container, and what may cause them. Repeatable."
)
source = click.option(
    "--from",
    "source",
    type=click.Path(),
    callback=parse_path,
    metavar="BUNDLE",
    help="Read a bundle or a recorded folder instead of this host.",
)
budget = click.option(
    "--budget",
    "budget_s",
    callback=parse_budget,
    metavar="SECONDS",
    help=f"Time limit for the whole run: {USUAL_S:.0f} if not given, on a busy host up to "
    f"{MOST_USUAL_S:.0f}.",
)
since = click.option(
    "--since",
    "since_s",
    callback=parse_duration,
    default="24h",
    show_default=True,
    metavar="DURATION",
    help="How far back to look at events and logs.",
)
no_probe = click.option(
    "--no-probe",
    "probe",
    flag_value=False,
    default=True,
    help="Send no DNS queries, and ask no web server for its first page.",
)
engine = combined(
    click.option(
        "-H", "--host", metavar="URL", help="Address of the engine: unix://, tcp:// or ssh://."
    ),
    click.option("--context", metavar="NAME", help="The docker context to use."),
)
config = file_option(
    "--config", description="Thresholds, silences and redaction, read after the usual files."
)
fail_on = click.option(
    "--fail-on",
    type=click.Choice(["critical", "warning", "never"]),
    default="warning",
    show_default=True,
    help="Lowest severity that gives an exit code other than 0.",
)
no_color = click.option(
    "--no-color", is_flag=True, help="Never use colour (NO_COLOR does the same)."
)


def format_(*formats: str) -> Decorator:
    """`--format`, the formats that a command can write."""
    return click.option(
        "--format",
        "format_",
        type=click.Choice(formats),
        default="text",
        show_default=True,
        help="Output format.",
    )


run = combined(
    container,
    source,
    format_("text", "json", "markdown", "html", "junit", "sarif", "csv", "llm", "prometheus"),
    file_option(
        "-o",
        "output",
        description=(
            "Write the report to a new file instead of stdout. "
            "With --format prometheus, replace the file of the last run."
        ),
    ),
    budget,
    since,
    fail_on,
    click.option(
        "--baseline",
        type=click.Path(),
        callback=parse_path,
        metavar="REPORT",
        help=(
            "A JSON report or a bundle of this host: "
            "its findings are silenced, unless they have become worse."
        ),
    ),
    click.option(
        "--resolve",
        multiple=True,
        metavar="NAME",
        help="A name that must resolve, from the host and from its containers. Repeatable.",
    ),
    click.option(
        "--reach",
        multiple=True,
        callback=parse_places,
        metavar="[ADDRESS:]PORT",
        help="A TCP port of this host that other machines must reach. Repeatable.",
    ),
    no_probe,
    engine,
    config,
    click.option("--show-silenced", is_flag=True, help="Also list silenced findings."),
    click.option("--timings", is_flag=True, help="Show the slowest questions and checks."),
    click.option(
        "-v",
        "--verbose",
        is_flag=True,
        help="Show advice, checks that could not run, and skipped checks in full.",
    ),
    no_color,
    file_option(
        "--metrics",
        description=(
            "Also write metrics for node_exporter's textfile collector, "
            "replacing those of the last run."
        ),
    ),
    click.option(
        "--push",
        callback=parse_store,
        metavar="S3-URL",
        help="Also put the JSON report, gzipped, below s3://BUCKET/PREFIX/ for `diagnose fleet`.",
    ),
    click.option(
        "--otlp",
        callback=parse_collector,
        metavar="URL",
        help="Also send a log record for each root cause to an OpenTelemetry collector.",
    ),
    click.option("--record", type=click.Path(), callback=parse_path, hidden=True),
)
"""The options of a run."""

ASKING = {
    "host": "-H",
    "context": "--context",
    "resolve": "--resolve",
    "since_s": "--since",
    "probe": "--no-probe",
}
"""Options that say what a host is asked, by the name of their field; a recording was asked already.
"""


def selected(selectors: Iterable[str]) -> Selection:
    """The selection of these selectors. Raises a usage error for an unknown one."""
    from diagnose.judgement import selection

    try:
        return selection.resolve(selectors)
    except selection.UnknownSelectorError as error:
        raise click.UsageError(str(error)) from None


def color(no_color: bool) -> bool | None:
    """False where the user wants no colour; None leaves it to the terminal."""
    if no_color or os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return False
    return None


def is_typed(parameter: str) -> bool:
    """Whether the user gave the option of this parameter in the command line."""
    source = click.get_current_context().get_parameter_source(parameter)
    return source is ParameterSource.COMMANDLINE


def of_run(options: Mapping[str, Any], *, since_too: bool = False) -> Options:
    """The options of the run. Raises a usage error where two options exclude each other.

    since_too: `--since` also says how much of a recording is shown.
    """
    from diagnose.questions.run import Options

    request = Options(
        **{name: options[name] for name in Options.__struct_fields__ if name in options}
    )
    if request.source is not None:
        for name, option in ASKING.items():
            if is_typed(name) and not (since_too and name == "since_s"):
                raise click.UsageError(
                    f"{option} does not go with --from: "
                    "a recording is judged without asking anything"
                )
    if request.resolve and not request.probe:
        raise click.UsageError("--resolve does not go with --no-probe: it sends DNS queries")
    return request
