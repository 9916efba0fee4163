"""A container's command or variables with one change, as the page's commands take them.

`new_command` is what follows the image, `assignment` one variable with its new value, `unset` the
name of one that goes; `spliced` is one whose value holds a secret, and `splice` what sed does to
it; `edited` is the one mounted file, and `edit` what sed does to it. Nothing where there is nothing
to change, or a secret is in the way.
"""

import posixpath
import re
import shlex
from collections.abc import Sequence

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.redact import holds_token

_FILE = LazyPattern(r"\.(?:conf|cnf|cfg|ini|ya?ml|toml|properties|json)$")
"""Files of settings, by their names."""
_DASHES = LazyPattern(r"^-+(?:XX:[+-]?)?")
"""The text before the name of an option; Java has some of its own."""
_OWN_NAME = LazyPattern(
    r"(?!(?:BASH_|DIAGNOSE_|DOCKER_|DYLD_|GLIBC_|LC_|LD_|PYTHON)|(?:ENV|HOME|IFS|LANG|PATH|PS\d|SHELL|TMPDIR)$)"
    r"[A-Z_][A-Z0-9_]*",
    re.IGNORECASE,
)
"""The name of a variable that only the container's program reads."""
_SHELLS = frozenset({"ash", "bash", "sh"})
_SHELL_SIGNS = frozenset("\"'\\$&|;<>()`*?")
"""Signs in a script with which a shell does more than to split words."""
_SHORTEST_NAME = 2
"""Minimum number of letters of a setting that a file names."""


def without_option(container: Container, option: str) -> dict[str, str]:
    """The correction that removes an option: from the command, or from a variable that holds
    options or has the option's name.

    An option whose value may be the next word stays: only its program knows whether it takes one.
    A word without a dash is a command of the program, or the value of the option before it.
    """
    words = container.config.cmd or []
    other_words = [word for word in words if not _is_option(word, option)]
    if len(other_words) < len(words):
        return {} if _has_value_behind(words, option) else _command(other_words)
    for name, value in container.config.environment:
        if _name(name) == _name(option):
            return {"unset": name}
        options = value.split()
        holds_options = value.lstrip().startswith("-")
        other_options = [part for part in options if not _is_option(part, option)]
        if holds_options and len(other_options) < len(options):
            new_value = " ".join(other_options)
            return _assignment(name, new_value) if new_value else {"unset": name}
    return {}


def _name(option: str) -> str:
    """The name of an option or a setting for comparison: without dashes and its value."""
    return _DASHES.sub("", option).partition("=")[0].replace("_", "-")


def _is_option(word: str, option: str) -> bool:
    """Whether a word of a command is the option of this name."""
    return word.startswith("-") and _name(word) == _name(option)


def _has_value_behind(words: Sequence[str], option: str) -> bool:
    """Whether a word that is not an option follows the option."""
    places = [place for place, word in enumerate(words) if _is_option(word, option)]
    next_words = [words[place + 1] for place in places if place + 1 < len(words)]
    return "=" not in option and any(not word.startswith("-") for word in next_words)


def with_option(container: Container, option: str) -> dict[str, str]:
    """The correction that adds an option to the end of the command, or changes its value there.

    Nothing where a shell runs the command: what follows `-c` is not an option of the program.
    """
    words = container.config.cmd or []
    if not words or option in words or "-c" in words[:2]:
        return {}
    return _command([*(word for word in words if not _is_option(word, option)), option])


def preceded_by(container: Container, command: str) -> dict[str, str]:
    """The correction by which a shell runs a command before the program."""
    words = container.config.cmd or []
    return _command(["sh", "-c", f"{command}; exec {shlex.join(words)}"]) if words else {}


def without_program(container: Container, program: str) -> dict[str, str]:
    """The correction that leaves a program's arguments, without its name and a shell before it.

    Nothing where the shell has to do more than to start the program.
    """
    words = container.config.cmd or []
    match words:
        case [shell, "-c", script] if posixpath.basename(shell) in _SHELLS:
            words = [] if set(script) & _SHELL_SIGNS else script.split()
    return _command(words[1:]) if words[:1] == [program] else {}


def with_text(container: Container, old: str, new: str, *, variable: str = "") -> dict[str, str]:
    """The correction with another text in the only word or variable that holds the old one.

    variable: the right one, where others hold the same word.
    """
    old_text = re.compile(rf"(?<![\w.-]){re.escape(old)}(?![\w-]|\.\w)")
    words = (container.config.cmd or []) if not variable else []
    places = [word for word in words if old_text.search(word)]
    variables = [
        (name, value)
        for name, value in container.config.environment
        if variable in ("", name) and old_text.search(value)
    ]
    if len(places) + len(variables) != 1:
        return {}
    if places:
        return _command([old_text.sub(lambda _: new, word) for word in words])
    name, value = variables[0]
    return _assignment(name, old_text.sub(lambda _: new, value)) or spliced(name, value, old, new)


def spliced(name: str, value: str, old: str, new: str) -> dict[str, str]:
    """The correction of the place in an address that holds a secret, behind its user and password.

    `spliced` is the variable, `splice` what sed does to its value, which nobody is shown. Nothing
    for a variable that the shell of the command itself, or a program that it calls, reads.
    """
    is_once = len(re.findall(rf"@{re.escape(old)}(?=[:/?,]|$)", value)) == 1
    if not is_once or not _OWN_NAME.fullmatch(name):
        return {}
    return {"spliced": name, "splice": rf"s/@{_escaped_for_sed(old)}\b/@{new}/"}


def with_value(container: Container, name: str, value: str) -> dict[str, str]:
    """With another value in a variable."""
    return _assignment(name, value) if container.config.value_of(name) != value else {}


def with_entry(container: Container, names: Sequence[str], entry: str) -> dict[str, str]:
    """The correction with one more entry in the list that one of these variables holds.

    Nothing where the list is written as JSON or Python: the entry would stand outside its brackets.
    """
    for name in names:
        value = container.config.value_of(name)
        is_plain = value and not set(value) & set("[](){}\"'")
        if is_plain and entry not in re.split(r"[,;\s]+", value):
            separator = next((mark for mark in (",", ";", " ") if mark in value), ",")
            return _assignment(name, f"{value}{separator}{entry}")
    return {}


_OPPOSITES = {"true": "false", "1": "0", "yes": "no", "on": "off", "require": "disable"}
"""The value that switches TLS off, by the value that switches it on."""
_TLS_OF_DATABASE = LazyPattern(
    r"(?:^|_)(?:DB|DATABASE|PG|POSTGRES\w{0,5}|SQL)_?(?:\w{1,20}_)?(?:SSL|TLS)"
)


def with_parameter(container: Container, scheme: str, parameter: str) -> dict[str, str]:
    """The correction with one more parameter behind the only address of a scheme in a variable."""
    addresses = [
        (name, value)
        for name, value in container.config.environment
        if value.startswith(scheme) and "://" in value and parameter not in value
    ]
    address = only(addresses)
    if address is None:
        return {}
    name, value = address
    sign = "&" if "?" in value else "?"
    return _assignment(name, f"{value}{sign}{parameter}")


def with_tls_off(container: Container) -> dict[str, str]:
    """The correction that turns off the only variable for TLS to the database: DB_SSL=true."""
    switches = [
        (name, _OPPOSITES[value.lower()])
        for name, value in container.config.environment
        if _TLS_OF_DATABASE.search(name) and value.lower() in _OPPOSITES
    ]
    switch = only(switches)
    return _assignment(*switch) if switch is not None else {}


def without_entries(container: Container, name: str, begin: str, separator: str) -> dict[str, str]:
    """The correction without the list entries that begin so; empty if none is left."""
    entries = container.config.value_of(name).split(separator)
    rest = [entry for entry in entries if entry and not entry.strip().startswith(begin)]
    if not rest or len(rest) == len(entries):
        return {}
    return _assignment(name, separator.join(rest))


def _command(words: Sequence[str]) -> dict[str, str]:
    text = shlex.join(words)
    return {"new_command": text} if words and not holds_token(text) else {}


def _assignment(name: str, value: str) -> dict[str, str]:
    return {"assignment": f"{name}={value}"} if not holds_token(value) else {}


def commented_out(container: Container, option: str) -> dict[str, str]:
    """With a `#` before lines that begin with an option, in the one mounted file of settings.

    Nothing for an option of one letter: a file has its long name.
    """
    if len(_name(option)) < _SHORTEST_NAME:
        return {}
    name = _escaped_for_sed(_name(option)).replace("-", "[-_]")
    return _edit(container, rf"s/^[[:space:]]*{name}\b/#&/")


def line_commented_out(path: str, line: int, word: str) -> dict[str, str]:
    """The change that puts a `#` before a line of a file, if the line begins with this word.

    The file is one of the host. line: 0 for each line that does. JSON has no comments. A line that
    opens a block stays: its content would follow no opening.
    """
    if path.endswith(".json"):
        return {}
    at = str(line) if line else ""
    opens = r"/[:{[|>][[:space:]]*$/!"
    return {
        "edited": path,
        "edit": rf"{at}{{{opens}s/^[[:space:]-]*{_escaped_for_sed(word)}\b/#&/;}}",
    }


def line_with_text(path: str, line: int, old: str, new: str) -> dict[str, str]:
    """The correction with another word in one line of a file of the host; in each one for 0."""
    return {"edited": path, "edit": rf"{line or ''}s/\b{_escaped_for_sed(old)}\b/{new}/g"}


def with_text_in_file(
    container: Container, old: str, new: str, besides: Sequence[str] = ()
) -> dict[str, str]:
    """With another text in the one mounted file of settings.

    besides: texts whose lines stay as they are.
    """
    staying = r"\|".join(map(_escaped_for_sed, besides))
    stays = f"/{staying}/!" if staying else ""
    return _edit(container, rf"{stays}s/\b{_escaped_for_sed(old)}\b/{new}/g")


def _escaped_for_sed(text: str) -> str:
    """A text that means itself in an expression of sed, which `/` ends.

    In its basic expressions other signs mean themselves, and `\\+` is the one that repeats.
    """
    return re.sub(r"[][\\.*^$/]", r"\\\g<0>", text)


def _edit(container: Container, script: str) -> dict[str, str]:
    files = [
        mount.source
        for mount in container.bind_mounts
        if _FILE.search(mount.source) and _FILE.search(mount.destination)
    ]
    file = only(files)
    return {"edited": file, "edit": script} if file is not None else {}
