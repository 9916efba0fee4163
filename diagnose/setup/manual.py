"""Man pages, made from the help of the commands."""

import inspect
import re
from collections.abc import Iterator

import click

from diagnose.version import __version__

EXIT_CODES = (
    ("0", "nothing found"),
    ("1", "warnings"),
    ("2", "critical"),
    ("3", "unknown, and every usage error"),
)
"""Exit codes and what they mean, for the manual page."""
MARK = '.\\" Written by diagnose setup.'


def pages(group: click.Group) -> dict[str, str]:
    """A page for the program and for each of its commands, as roff, by file name."""
    context = click.Context(group, info_name="diagnose")
    command_by_name = {
        name: group.get_command(context, name) for name in sorted(group.list_commands(context))
    }
    commands = {
        name: command for name, command in command_by_name.items() if command and not command.hidden
    }
    manual_pages = {
        "diagnose.1": _page(
            context, [(f"diagnose-{name}(1)", command) for name, command in commands.items()]
        )
    }
    for name, command in commands.items():
        manual_pages[f"diagnose-{name}.1"] = _page(
            click.Context(command, info_name=name, parent=context), []
        )
    return manual_pages


def _page(context: click.Context, commands: list[tuple[str, click.Command]]) -> str:
    """The man page of one command."""
    command = context.command
    title = context.command_path.replace(" ", "-")
    usage = " ".join(command.collect_usage_pieces(context))
    short = command.get_short_help_str(200).rstrip(".")
    lines = [MARK, f'.TH "{title.upper()}" "1" "" "diagnose {__version__}" "diagnose"']
    lines += [".SH NAME", rf"{_roff(title)} \- {_roff(short[:1].lower() + short[1:])}"]
    lines += [
        ".SH SYNOPSIS",
        rf"\fB{_roff(context.command_path)}\fR {_roff(usage)}",
        ".SH DESCRIPTION",
    ]
    for paragraph in re.split(r"\n\s*\n", inspect.cleandoc(command.help or "")):
        lines += [".PP", _roff(" ".join(paragraph.split()))]
    lines += [".SH OPTIONS", *_options(context)]
    if commands:
        lines.append(".SH COMMANDS")
        for name, sub in commands:
            lines += [".TP", rf"\fB{_roff(name)}\fR", _roff(sub.get_short_help_str(200))]
    lines.append(".SH EXIT STATUS")
    for code, meaning in EXIT_CODES:
        lines += [".TP", rf"\fB{code}\fR", _roff(meaning)]
    if not commands:
        lines += [".SH SEE ALSO", r"\fBdiagnose\fR(1)"]
    return "\n".join(lines) + "\n"


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None:
            names, text = record
            yield from (".TP", rf"\fB{_roff(names)}\fR", _roff(" ".join(text.split())))


def _roff(text: str) -> str:
    """Text that roff shows as it is."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
