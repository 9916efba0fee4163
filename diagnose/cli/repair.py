"""`diagnose repair`: the smallest repair as a script."""

from typing import Any

import click

from diagnose.cli import on, options, process


@click.command(cls=on.RemotableCommand)
@click.argument("target", metavar="ID|KEY", default="", shell_complete=options.complete_id)
@click.option(
    "--set",
    "keys",
    metavar="JSON",
    default="",
    help="Instead of a finding: keys of the engine's daemon.json, as one JSON object.",
)
@options.source
@options.budget
@options.engine
@process.printing_a_script()
def repair(target: str, keys: str, **given: Any) -> None:
    """Print a script with the smallest repair of what a check found.

    Known for lost rules of the engine, for kernel settings, for keys of daemon.json and for routes.
    Says what changes, the risk and the way back. The repair is simulated first: the checks judge
    the answers of this host as they would be afterwards. Only prints: pipe it into `sudo sh -e` to
    apply it.
    """
    from diagnose import session
    from diagnose.repair import plan, rules
    from diagnose.repair.differences import NoRepairError

    if bool(target) == bool(keys):
        raise click.UsageError("name what a check found (ID or KEY), or give --set")
    id = target.partition("@")[0]
    checks = options.selected(plan.selectors(id)).checks
    request = options.of_run(given)
    try:
        if keys:
            text = plan.of_keys(keys, checks, request, began=process.began())
        elif id in rules.RULES:
            text = plan.of_rules(checks, request, began=process.began())
        else:
            text = plan.of_finding(target, checks, request, began=process.began())
        click.echo(text, nl=False)
    except plan.UnknownRepairError as error:
        raise click.UsageError(str(error)) from None
    except (session.InvalidRequestError, NoRepairError) as error:
        raise click.ClickException(str(error)) from None
