"""Commands of a page, filled with a finding's values."""

import functools
import shlex
from collections.abc import Mapping

from diagnose.lazy_pattern import LazyPattern
from diagnose.word_sets import vocabulary

PLACEHOLDER = LazyPattern(r"(?<![${\w])\{([a-z][a-z0-9_]*)\}")
_ACTIVE = LazyPattern(r'["$`\\]')
"""What means more than itself between double quotes."""


@functools.lru_cache(1024)
def quoted(value: str) -> str:
    """One word of a shell: between double quotes where it holds single ones, which reads easier.

    An interactive shell expands `!` there, whatever stands before it.
    """
    if "'" not in value or set(value) & set("!\n"):
        return shlex.quote(value)
    escaped = _ACTIVE.sub(r"\\\g<0>", value)
    return f'"{escaped}"'


def fill(text: str, variables: Mapping[str, str], docker: str = "docker") -> str:
    """The text with its placeholders replaced by shell-quoted values.

    `{docker}` is a command and stays as it is.

    A name that is not declared is left alone, so that shell and Go templates need no escaping. What
    begins with `-` and is an operand of the docker command line comes after `--`: it would be read
    as an option. A value such as `--force` is meant as one.
    """
    filled = ""
    pieces, ending = _split_at_placeholders(text)
    for before, name in pieces:
        filled += before
        if name == "docker":
            filled += docker
        elif name in variables:
            value = variables[name]
            is_option = value in _SWITCHES
            is_taken_for_option = (
                value.startswith("-") and not is_option and _is_docker_operand(filled)
            )
            filled += "-- " if is_taken_for_option else ""
            filled += quoted(value)
        else:
            filled += f"{{{name}}}"
    return filled + ending


def fill_prose(text: str, variables: Mapping[str, str], docker: str = "docker") -> str:
    """A paragraph on one line, with its placeholders replaced by values.

    Between backticks it is a command; see `fill_span`.
    """
    pieces = text.split("`")
    for number, piece in enumerate(pieces):
        if number % 2:
            pieces[number] = fill_span(piece, variables, docker)
        else:
            pieces[number] = _with_values(piece, variables)
    return " ".join("`".join(pieces).split())


def _with_values(text: str, variables: Mapping[str, str]) -> str:
    """The text with the values in the place of their names, as they are."""
    pieces, ending = _split_at_placeholders(text)
    filled = (f"{before}{variables.get(name, f'{{{name}}}')}" for before, name in pieces)
    return f"{''.join(filled)}{ending}"


def fill_span(text: str, variables: Mapping[str, str], docker: str = "docker") -> str:
    """The text between backticks, with its values quoted for a shell.

    Where it is one placeholder and nothing else, the value is a whole command, or a line for a file
    such as `proxy_set_header Host $host;`, and stands there as it is.
    """
    alone = PLACEHOLDER.fullmatch(text)
    if alone is not None and alone[1] in variables:
        return variables[alone[1]]
    return fill(text, variables, docker)


@functools.lru_cache(2048)
def _split_at_placeholders(text: str) -> tuple[tuple[tuple[str, str], ...], str]:
    """The text before each placeholder with its name, and the text behind the last one.

    A page's commands are filled for each of 8,000 containers.
    """
    pieces = []
    end = 0
    for match in PLACEHOLDER.finditer(text):
        pieces.append((text[end : match.start()], match[1]))
        end = match.end()
    return tuple(pieces), text[end:]


_COMMAND_ENDS = LazyPattern(r"[|;&({\n]\s|\$\(|\n")
_SWITCHES = vocabulary(
    "-a -d -f -q -v --all --archive --detach --force --follow --no-stream --no-trunc --pretty "
    "--quiet --rm --volumes"
)
"""Options of the docker command line that take no value, as far as pages use them before a name."""


def _is_docker_operand(before: str) -> bool:
    """Whether what comes after this text is an operand of a docker command.

    The first after which no option is meant.
    """
    words = _COMMAND_ENDS.split(before.replace("\\\n", " "))[-1].split(" ")
    begins_word = words[-1] == ""
    earlier = [word for word in words[:-1] if word]
    if not begins_word or "--" in earlier or not {"docker", "podman"} & set(earlier):
        return False
    return not earlier[-1].startswith("-") or earlier[-1] in _SWITCHES


@functools.lru_cache(2048)
def placeholders(text: str) -> frozenset[str]:
    """The names that stand as placeholders in a text of commands."""
    return frozenset(name for _, name in _split_at_placeholders(text)[0])
