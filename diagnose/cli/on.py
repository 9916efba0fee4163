"""`--on`: its options, and the commands that it carries out on other hosts."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from diagnose.cli import options, process
from diagnose.recording.budget import MOST_USUAL_S


def _targets(_: click.Context, __: click.Parameter, texts: tuple[str, ...]) -> tuple[object, ...]:
    if not texts:
        return ()
    from diagnose.reach.target import TargetError, parse

    try:
        return tuple(dict.fromkeys(parse(text) for text in texts))
    except TargetError as error:
        raise click.BadParameter(str(error)) from None


OPTIONS: tuple[Callable[[Callable[..., Any]], Callable[..., Any]], ...] = (
    click.option(
        "--on",
        "targets",
        multiple=True,
        callback=_targets,
        metavar="ssh://HOST",
        help="Run on another host over ssh, without installing anything there. Repeatable.",
    ),
    click.option("--sudo", is_flag=True, help="With --on: run there as root, with sudo."),
    click.option(
        "--sudo-password",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=(
            "With --sudo: a file with sudo's password; "
            "otherwise it is asked for once, if it is needed."
        ),
    ),
    click.option(
        "--folder",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help=(
            "With --on: the archive of this tool that is sent there; "
            "needed where the tool was installed in another way."
        ),
    ),
)


class RemotableCommand(click.Command):
    """A command that `--on` runs on other hosts: its own function is then not called."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for option in OPTIONS:
            option(self)

    def invoke(self, ctx: click.Context) -> Any:
        """Run here, or on the hosts of `--on`."""
        reach = {
            name: ctx.params.pop(name) for name in ("targets", "sudo", "sudo_password", "folder")
        }
        if reach["targets"]:
            from diagnose.reach import command_line

            # the run on the other host chooses its seconds if the user does not
            longest_s = ctx.params["budget_s"] if options.is_typed("budget_s") else MOST_USUAL_S
            process.leave(command_line.run(ctx, **reach, longest_s=longest_s))
        for name, option in {
            "sudo": "--sudo",
            "sudo_password": "--sudo-password",
            "folder": "--folder",
        }.items():
            if reach[name]:
                raise click.UsageError(f"{option} goes with --on only")
        return super().invoke(ctx)
