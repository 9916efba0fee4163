"""`diagnose follow`: a page step by step, the only command that changes a host."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from diagnose.cli import options, process


@click.command()
@click.argument("target", metavar="ID|KEY", shell_complete=options.complete_id)
@click.option(
    "--print",
    "print_",
    is_flag=True,
    help="Print the steps as a script, which runs a fix only by its name; run nothing.",
)
@options.file_option("-o", "output", description="Write the transcript to this new file.")
@options.source
@options.budget
@options.since
@options.no_probe
@options.engine
@options.config
def follow(target: str, print_: bool, output: Path | None, **given: Any) -> None:
    """Follow the page of a finding, step by step.

    Shows each command with its risk and what it touches, runs it only after you have typed yes (for
    one that destroys data, the subject's name), and diagnoses again after each fix. Writes a
    redacted transcript for the ticket.

    This is the only command that changes a host. It needs a terminal; --print gives a script
    instead. Exit codes: 0 healed, 2 still there (critical), 1 still there, 3 unknown.
    """
    import math

    from diagnose import limited_memory, session
    from diagnose.follow import run
    from diagnose.follow.terminal import Terminal

    request = options.of_run(given)
    if not print_ and request.source is not None:
        raise click.UsageError("--from goes with --print only: a recording cannot be healed")
    if not print_ and not Terminal.is_there():
        raise click.UsageError(
            "it asks before each command, and there is no terminal; --print gives a script"
        )
    checks = options.selected([target.partition("@")[0]]).checks
    try:
        report = session.diagnose(lambda: checks, tuple(checks), request, began=process.began())
        if print_:
            click.echo(run.printed(report, target), nl=False)
            process.leave(0)
        limited_memory.must_end_by(math.inf)  # from here on a person is waited for
        code = run.follow(report, target, _repeated_options(given), output, Terminal())
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    process.leave(code)


def _repeated_options(given: Mapping[str, Any]) -> list[str]:
    """The options of this run that a new diagnosis needs as well, as arguments."""
    options_by_name = {"host": "--host", "context": "--context", "config": "--config"}
    arguments = [
        f"{option}={given[name]}" for name, option in options_by_name.items() if given.get(name)
    ]
    if not given["probe"]:
        arguments.append("--no-probe")
    return [*arguments, f"--budget={given['budget_s']}", f"--since={given['since_s']}"]
