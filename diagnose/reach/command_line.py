"""A command line that is carried out on other hosts.

What the other side is given, and where the reports go.
"""

import getpass
import os
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import click
from click.core import ParameterSource

from diagnose.phrases import size
from diagnose.reach import folder as folders
from diagnose.reach import tour
from diagnose.reach.target import Target
from diagnose.reach.visit import RemoteRun, Visit

REFUSED = {
    "source": "--from does not go with --on: a recording is judged here",
    "record": "--record does not go with --on",
    "baseline": "--baseline does not go with --on: compare the reports with `diagnose diff`",
    "review": "--review does not go with --on: a bundle is reviewed where it is made",
    "recipients": "--encrypt-to does not go with --on: pipe `-o -` into age or gpg",
    "signer": "--sign-with does not go with --on: sign the file that was written",
    "map_": "--map does not go with --on: the names of a host stay there",
}
"""Options that do not go with --on, by the name of the parameter, and why."""
HERE_ONLY = frozenset({"output", "config", "no_color", *REFUSED})
"""Parameters that say what happens on this side."""
HOST = "{host}"
"""What stands for the host in the name of a file."""
UNKNOWN = 3


def run(
    ctx: click.Context,
    targets: Sequence[Target],
    *,
    sudo: bool,
    sudo_password: Path | None,
    folder: Path | None,
    longest_s: float,
) -> int:
    """Carry out the command line on these hosts. The exit code of the worst.

    longest_s: seconds that the run on another host may take.
    """
    for name, why in REFUSED.items():
        if ctx.params.get(name):
            raise click.UsageError(why)
    if sudo_password is not None and not sudo:
        raise click.UsageError("--sudo-password goes with --sudo only")
    is_bundle = ctx.command.name == "bundle"
    output: Path | None = ctx.params.get("output")
    files = _files(targets, output, is_bundle=is_bundle)
    remote_run = RemoteRun(
        (str(ctx.command.name), *arguments(ctx), *(("-o", "-") if is_bundle else ())),
        budget_s=longest_s,
        folder=lambda: folders.find(folder),
        config=_text(ctx.params.get("config")),
        environment=_environment(ctx),
        ask_password=(lambda: _password(sudo_password)) if sudo else None,
    )

    def deliver(target: Target, outcome: tour.Outcome) -> int:
        return _deliver(ctx, target, outcome, files.get(target), alone=len(targets) == 1)

    return tour.go(targets, remote_run, deliver)


def arguments(ctx: click.Context) -> Iterator[str]:
    """The words of the command line that the other side is given, from what the user typed."""
    selectors: list[str] = []
    for parameter in ctx.command.params:
        name = parameter.name or ""
        value = ctx.params.get(name)
        is_given = ctx.get_parameter_source(name) is not ParameterSource.DEFAULT
        if name in HERE_ONLY or not is_given or value is None:
            continue
        if isinstance(parameter, click.Argument):
            selectors += value if isinstance(value, tuple) else [value]
            continue
        option = max(parameter.opts, key=len)
        if isinstance(parameter, click.Option) and parameter.is_flag:
            yield option
        else:
            items = value if isinstance(value, tuple) else (value,)
            yield from (f"{option}={argument}" for argument in items)
    if selectors:
        yield from ("--", *selectors)


def _files(
    targets: Sequence[Target], output: Path | None, *, is_bundle: bool
) -> Mapping[Target, Path]:
    """The file of each host's report; none where the reports go to stdout.

    Nothing that exists is overwritten.
    """
    if output == Path("-") or (output is None and not is_bundle):
        if is_bundle and len(targets) > 1:
            raise click.UsageError(
                "several bundles do not go to stdout: name files with -o 'NAME-{host}.tar.gz'"
            )
        return {}
    if output is None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        output = Path(f"diagnose-{HOST}-{stamp}.tar.gz")
    if len(targets) > 1 and HOST not in output.name:
        raise click.UsageError(
            "several hosts and one file: "
            f"put {HOST} into its name, as in -o 'report-{HOST}{output.suffix}'"
        )
    files = {
        target: output.with_name(output.name.replace(HOST, _as_name(target))) for target in targets
    }
    for path in files.values():
        if path.exists():
            raise click.ClickException(
                f"cannot write {path}: it exists, and a report overwrites nothing"
            )
    return files


def _as_name(target: Target) -> str:
    """The host as part of a file name."""
    return str(target).translate(str.maketrans("/:@[]", "_____"))


def _text(config: Path | None) -> bytes:
    """The configuration file that the user named, which the other side does not have.

    It is looked at here first.
    """
    if config is None:
        return b""
    from diagnose import config as configuration

    try:
        configuration.load(config)
        return config.read_bytes()
    except (configuration.ConfigError, OSError) as error:
        raise click.ClickException(str(error)) from None


def _environment(ctx: click.Context) -> dict[str, str]:
    """Width and colour of the terminal here, for the text that is made there."""
    if not sys.stdout.isatty():
        return {}
    variables = {"COLUMNS": str(shutil.get_terminal_size().columns)}
    is_plain = (
        ctx.params.get("no_color")
        or os.environ.get("NO_COLOR")
        or os.environ.get("TERM", "dumb") == "dumb"
    )
    if is_plain or ctx.params.get("output"):
        return {**variables, "NO_COLOR": "1"}
    environment = {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}
    return {**variables, **environment, "FORCE_COLOR": "1"}


def _password(file: Path | None) -> str:
    if file is None:
        return getpass.getpass("sudo's password on these hosts: ")
    try:
        return file.read_text().splitlines()[0]
    except (OSError, IndexError) as error:
        raise click.ClickException(f"cannot read a password from {file}: {error}") from None


def _deliver(
    ctx: click.Context, target: Target, outcome: tour.Outcome, file: Path | None, *, alone: bool
) -> int:
    """Put one host's report where it belongs; its exit code."""
    if not isinstance(outcome, Visit):
        click.echo(f"{target}: no report: {outcome}", err=True)
        return UNKNOWN
    is_bundle = ctx.command.name == "bundle"
    errors = () if is_bundle and outcome.code == 0 else outcome.errors
    for line in errors:
        click.echo(line if alone else f"{target}: {line}", err=True)
    if file is not None:
        return _write(target, outcome, file)
    if not alone and ctx.params.get("format_") in ("text", "markdown"):
        sys.stdout.write(f"# {target}\n\n")
        sys.stdout.flush()
    sys.stdout.buffer.write(outcome.output)
    if not alone and ctx.params.get("format_") in ("text", "markdown"):
        sys.stdout.buffer.write(b"\n")
    return outcome.code


def _write(target: Target, outcome: Visit, file: Path) -> int:
    """The report as a new file, whole or not there; nothing where the run made none."""
    from diagnose.ticket.write import write

    if not outcome.output:
        click.echo(f"{target}: no report", err=True)
        return UNKNOWN
    try:
        write(file, outcome.output)
    except OSError as error:
        click.echo(f"{target}: cannot write {file}: {error.strerror}", err=True)
        return UNKNOWN
    click.echo(f"{target}: wrote {file}, {size(len(outcome.output))}", err=True)
    return outcome.code
