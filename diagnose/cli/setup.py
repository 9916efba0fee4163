"""`diagnose setup`.

Plugin, hook, completion, man pages, Ansible collection and timer, in and out.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from diagnose.cli import process

if TYPE_CHECKING:
    from diagnose.setup.parts import SetupPart

NAMES = ("plugin", "hook", "completion", "man", "ansible", "timer")


@click.command(short_help="Add shell completion, man pages, `docker diagnose`, a timer.")
@click.argument("names", nargs=-1, metavar="[PART]...", type=click.Choice(NAMES))
@click.option("--remove", is_flag=True, help="Remove the parts.")
@click.option(
    "--user",
    "for_user",
    is_flag=True,
    help="For this user only; otherwise root sets up the whole host.",
)
@click.option("--package", type=click.Path(path_type=Path), hidden=True)
def setup(names: tuple[str, ...], remove: bool, for_user: bool, package: Path | None) -> None:
    """List optional parts of the tool, or install them.

    plugin: `docker diagnose`. hook: one line with the cause after a failed docker command, in the
    configuration of this user's docker client. completion, man: for the shell. ansible: a
    collection that asks many hosts. timer: a report each hour, on hosts with systemd.
    """
    from diagnose.setup import parts

    by_name = {part.name: part for part in _parts(package, for_user=for_user)}
    if remove and not names:
        raise click.UsageError("name the parts to remove")
    for name in names:
        if name not in by_name:
            raise click.UsageError(f"{name} is for the whole host: run it as root, without --user")
    try:
        _change([by_name[name] for name in names], remove=remove)
        for part in by_name.values():
            sys.stdout.write(f"{part.name:<12}{part.state():<24}{part.what}\n")
    except parts.SetupError as error:
        raise click.ClickException(str(error)) from None
    if "timer" in names:
        verb = "disable" if remove else "enable"
        click.echo(
            f"next: systemctl daemon-reload; systemctl {verb} --now diagnose.timer", err=True
        )
    process.leave(0)


def _parts(package: Path | None, *, for_user: bool) -> list[SetupPart]:
    """The parts as they are for this user, for the host, or for a package.

    package: the folder in which a package is put together; .ci/package asks for it.
    """
    from diagnose.setup import parts, places

    is_of_user = for_user or os.geteuid() != 0
    setup_places = places.of_user(os.environ) if is_of_user else places.of_host(os.environ)
    program = places.program()
    if package is not None:
        setup_places = places.of_package(os.environ, package)
        program = Path("/opt/diagnose/diagnose")
    tool = click.get_current_context().find_root().command
    assert isinstance(tool, click.Group), "manual pages are made of all its commands"
    return list(parts.parts(setup_places, tool, program))


def _change(parts: Iterable[SetupPart], *, remove: bool) -> None:
    for part in parts:
        if remove:
            part.take_out()
        else:
            part.put_in()
