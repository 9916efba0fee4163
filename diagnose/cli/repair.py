"""`diagnose repair`: the smallest repair as a script."""

from __future__ import annotations

from typing import Any

import click

from diagnose.cli import options, process


@click.command()
@click.argument("id", metavar="ID", shell_complete=options.complete_id)
@options.source
@options.budget
@options.engine
def repair(id: str, **given: Any) -> None:
    """Print a script with the smallest repair of what a check found.

    Only prints: pipe it into `sudo sh` to apply it. Known for lost rules of the engine
    (firewall.chains-missing, firewall.dnat-missing, firewall.dnat-stale,
    firewall.masquerade-missing).
    """
    from diagnose import repair as repairs
    from diagnose import session
    from diagnose.evidence.network.lost_rules import LostRules
    from diagnose.model import Unavailable

    if id not in repairs.RULES:
        raise click.UsageError(
            f"no repair is computed for {id}; its page has the fixes: diagnose explain {id}"
        )
    try:
        (lost,) = session.collect([LostRules], options.of_run(given), began=process.began())
        assert isinstance(lost, LostRules | Unavailable)
        click.echo(repairs.rules_script(lost), nl=False)
    except (session.InvalidRequestError, repairs.NoRepairError) as error:
        raise click.ClickException(str(error)) from None
