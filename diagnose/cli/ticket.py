"""`diagnose bundle` and `diagnose diff`: an archive for a ticket, and two of them compared."""

import sys
from pathlib import Path
from typing import Any

import click

from diagnose.cli import on, options, process


@click.command(cls=on.RemotableCommand)
@options.file_option("-o", "output", description="Where to write it; - streams it to stdout.")
@click.option(
    "--max-size",
    default="10M",
    show_default=True,
    callback=options.parse_size,
    metavar="SIZE",
    help="The largest archive that the ticket system accepts.",
)
@click.option(
    "--review",
    is_flag=True,
    help="List every file with its size and redactions, and ask before writing it.",
)
@click.option(
    "--anonymize", is_flag=True, help="Replace the host's names and addresses with made-up ones."
)
@options.file_option(
    "--map", "map_", description="With --anonymize: keep the table of old and new names here."
)
@click.option(
    "--encrypt-to",
    "recipients",
    multiple=True,
    metavar="RECIPIENT",
    help=(
        "Encrypt it with age (age1..., ssh-ed25519 ..., a file of keys) "
        "or gpg (a fingerprint or an address). Repeatable."
    ),
)
@options.file_option(
    "--sign-with", "signer", description="Also sign the archive with this ssh key: FILE.sig."
)
@click.option(
    "--from",
    "source",
    type=click.Path(),
    callback=options.parse_path,
    metavar="BUNDLE",
    help="Create it from an older bundle, redacted again with the current rules.",
)
@options.budget
@options.since
@options.no_probe
@options.engine
@options.config
def bundle(
    output: Path | None,
    max_size: int,
    review: bool,
    anonymize: bool,
    map_: Path | None,
    recipients: tuple[str, ...],
    signer: Path | None,
    **given: Any,
) -> None:
    """Write one archive for a ticket, without secrets.

    It holds the report, the answers it was made from, and the texts that people ask for, all
    redacted.

    Exit codes: 0 written, 3 not. A colleague judges it with `diagnose all --from FILE`.
    """
    if map_ and not anonymize:
        raise click.UsageError("--map goes with --anonymize only")
    from diagnose import registry, session
    from diagnose.ticket import write

    try:
        order = write.Order(
            output,
            max_size=max_size,
            review=review,
            anonymize=anonymize,
            map=map_,
            recipients=recipients,
            signer=signer,
        )
        sentence = write.deliver(
            registry.load(), options.of_run(given), order, began=process.began()
        )
    except (session.InvalidRequestError, write.NotWrittenError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(sentence, err=True)
    process.leave(0)


@click.command()
@click.argument("old", type=click.Path())
@click.argument("new", type=click.Path())
@options.format_("text", "json")
@options.fail_on
def diff(old: str, new: str, format_: str, fail_on: str) -> None:
    """Compare two bundles or JSON reports.

    Finding by finding: new, gone, still there, no longer visible. The exit code is that of a run on
    NEW.
    """
    from diagnose import compare, session
    from diagnose.render import comparison

    try:
        before, after = (compare.load(Path(path)) for path in (old, new))
    except session.InvalidRequestError as error:
        raise click.ClickException(str(error)) from None
    change = compare.compare(before, after)
    comparison.render(change, format_, sys.stdout)
    process.leave(compare.exit_code(after, fail_on))
