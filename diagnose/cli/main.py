"""The group of all commands, and what becomes of their errors."""

import importlib
import os
import re
import signal
from pathlib import Path
from typing import NoReturn

import click

from diagnose import limited_memory
from diagnose.cli import process, streams
from diagnose.version import __version__

WIDTH = re.compile("[0-9]{2,3}")
"""What $COLUMNS may say; with 0 nothing can be written, and 10^11 columns fill the memory."""
LONGEST_ERROR = 2000
"""Characters of a sentence about an error, which may hold what was typed or piped in."""
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

COMMANDS = {
    "all": "run:all_",
    "check": "run:check",
    "ask": "ask:ask",
    "path": "path:path",
    "explain": "pages:explain",
    "follow": "follow:follow",
    "repair": "repair:repair",
    "recreate": "recreate:recreate",
    "timeline": "timeline:timeline",
    "watch": "watch:watch",
    "bundle": "ticket:bundle",
    "diff": "ticket:diff",
    "fleet": "fleet:fleet",
    "list": "pages:list_",
    "setup": "setup:setup",
    "mcp": "mcp:mcp",
}
"""Each command's module beside this one, and its function there: a run imports only its own.

They are listed in this order: those that are needed first come first.
"""


class _Group(click.Group):
    def list_commands(self, _: click.Context) -> list[str]:
        """The names of the commands."""
        return list(COMMANDS)

    def get_command(self, _: click.Context, name: str) -> click.Command | None:
        """The command of this name, imported now."""
        if name not in COMMANDS:
            return None
        module, function = COMMANDS[name].split(":")
        command: click.Command = getattr(
            importlib.import_module(f"diagnose.cli.{module}"), function
        )
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command. click would end with 1, the code of warnings, for a broken pipe."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            streams.end_with_reader()

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command of the user's words, as click resolves it.

        A user who names checks without a command gets the command to put before them, and one who
        mistypes a command the nearest.
        """
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError:
            from diagnose import packs

            if args[0].partition(".")[0] not in packs.families():
                import difflib

                similar_names = difflib.get_close_matches(args[0], COMMANDS, n=1)
                if args[0].startswith("-") or not similar_names:
                    raise
                raise click.UsageError(
                    f"No such command {args[0]!r}; did you mean {similar_names[0]}?"
                ) from None
            raise click.UsageError(
                f"no such command {args[0]!r}; did you mean diagnose check {args[0]}?"
            ) from None


@click.group(cls=_Group, context_settings=CONTEXT)
@click.version_option(__version__, message="diagnose %(version)s")
def group() -> None:
    """Say what is wrong with a Docker host, what caused it, and what to type next.

    On a host in trouble, start with `diagnose all`, as root where you can.

    Every command only reads, except `diagnose follow`: it runs the commands of a page on the host,
    each after you type yes.
    Exit codes: 0 nothing found, 1 warnings, 2 critical, 3 unknown.
    """


def main() -> NoReturn:
    """Run the command line.

    Every usage error and every crash of ours is exit 3: click's own 2 would read as critical.
    """
    # an engine that closes a connection must not end this process: see streams
    signal.signal(signal.SIGPIPE, signal.SIG_IGN)
    streams.open_streams()
    if not WIDTH.fullmatch(os.environ.get("COLUMNS", "80")):
        del os.environ["COLUMNS"]
    try:
        group.main(prog_name="diagnose", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        process.leave(process.UNKNOWN)
    except click.ClickException as error:
        _show_usage_error(error)
        process.leave(process.UNKNOWN)
    except click.Abort:
        process.leave(process.UNKNOWN)
    except OSError as error:  # of our own streams: what a collector meets in the world is an answer
        place = f"{error.filename}: " if error.filename else ""
        _show_error(f"{place}{error.strerror or error}")
        process.leave(process.UNKNOWN)
    except MemoryError:
        _without_memory()
    except Exception as error:  # noqa: BLE001 - a crash of ours reads as unknown, and says what to report
        if limited_memory.is_refusal(error):
            _without_memory()
        _show_bug(error)
        process.leave(process.UNKNOWN)
    process.leave(0)


def _show_usage_error(error: click.ClickException) -> None:
    """Print why the request cannot be carried out, and what to try."""
    _show_error(error.format_message())
    if os.geteuid() and "ermission denied" in error.format_message():
        click.echo("Try the same as root.", err=True)
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(f"Try {error.ctx.command_path} --help", err=True)


def _show_error(sentence: str) -> None:
    """Print what went wrong, without anything in a name that a terminal would obey."""
    from diagnose.render.words import clean  # only where something went wrong

    shown = clean(sentence)
    if len(shown) > LONGEST_ERROR:
        shown = f"{shown[:LONGEST_ERROR]}... and {len(shown) - LONGEST_ERROR} more characters"
    click.echo(f"Error: {shown}", err=True)


def _show_bug(error: Exception) -> None:
    """Print the place of a crash of ours; the traceback with $DIAGNOSE_DEBUG."""
    import traceback

    last_frame = traceback.extract_tb(error.__traceback__)[-1]
    at = f"{Path(last_frame.filename).name}:{last_frame.lineno}"
    click.echo(f"Error: a bug of diagnose {__version__}: {type(error).__name__} at {at}", err=True)
    if os.environ.get("DIAGNOSE_DEBUG"):
        traceback.print_exception(error)


def _without_memory() -> NoReturn:
    """End at once: there may be no memory for more than this."""
    os.write(2, limited_memory.SENTENCE)
    os._exit(process.UNKNOWN)
