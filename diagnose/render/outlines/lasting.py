"""The words that say how a cure survives the next `docker compose up`, which makes the container
as the file says. Pure."""

import re
import shlex
from collections.abc import Iterator

from diagnose.lazy_pattern import LazyPattern
from diagnose.recreate.compose_keys import lines_of

_MADE = LazyPattern(
    r"compose project (?P<project>[^,]+), service (?P<service>[^,]+)(?:, (?P<file>/[^,]+))?"
)
_RECREATED = LazyPattern(r"\bdiagnose recreate (?P<words>[^|\n]{1,2000})\| sh\b")
_UPDATED = LazyPattern(
    r"\bupdate (?P<words>(?:--(?:memory|memory-swap|pids-limit|cpus|restart)[ =][\w.-]{1,40} ){1,4})"
    r"(?P<container>[\w.-]{0,100})"
)
"""The limits that `docker update` sets, and the first container that gets them."""
_CONNECTED = LazyPattern(
    r"\bnetwork connect (?:--\S{1,200} )*(?P<network>[\w.-]{1,100}) (?P<container>[\w.-]{1,100})$"
)
_SAID = LazyPattern(
    r" ?(?:Set it in|Correct|Change) the compose file(?: or the Dockerfile)? too(?:, if there is one)?\."
)
"""A sentence of a page that says the same without a name."""
_JOINING = ("--network=container:", "--net=container:")
"""Options of a container that joins a recreated partner again: the file names the service of the
partner already, and compose resolves it to the new container."""
_GONE = {"--unmount": "the volume at", "--unset": "the variable", "--without": "the option"}


def with_lasting_words(impact: str, command: str, made_by: str, container: str = "") -> str:
    """The words before the command of a cure, with the line of the file that makes it last.

    container: the one that compose made; a cure that changes another one has no such line.
    """
    changed = _changed_container(command)
    is_another = bool(container and changed) and changed != container
    lasting = "" if is_another else lasting_words(command, made_by)
    if not lasting:
        return impact
    before = re.sub(_SAID.pattern, "", impact).strip().rstrip(":")
    return f"{before.removesuffix('.')}. {lasting}" if before else lasting


def lasting_words(command: str, made_by: str) -> str:
    """The line that the compose file needs; "" where compose did not make the container, or the
    cure changes no setting of it."""
    match = _MADE.fullmatch(made_by)
    if match is None:
        return ""
    place = f"service {match['service']} in {match['file']}" if match["file"] else match["service"]
    connected = _CONNECTED.search(command)
    if connected is not None:
        return _network_words(connected["network"], match["project"], place)
    written, left_out = _changes(command)
    sentences = []
    if written:
        has_list = any(": [" in line for line in written)
        verb = "add, beside what stands there," if has_list else "write"
        sentences.append(f"To make it last, {verb} for {place}: `{'; '.join(written)}`.")
    if left_out:
        begin = "Leave out there" if written else f"To make it last, leave out for {place}"
        sentences.append(f"{begin} {' and '.join(left_out)}.")
    return " ".join(sentences)


def _changed_container(command: str) -> str:
    """The container whose settings a cure changes; "" where its command names none."""
    connected = _CONNECTED.search(command)
    if connected is not None:
        return connected["container"]
    recreated = list(_RECREATED.finditer(command))
    if recreated:
        return recreated[-1]["words"].partition(" ")[0].strip("'\"")
    updated = list(_UPDATED.finditer(command))
    return updated[-1]["container"] if updated else ""


def _network_words(network: str, project: str, place: str) -> str:
    """The place where a network is added. One of another project has to be declared too."""
    own_name = network.removeprefix(f"{project}_")
    added = (
        f"To make it last, add `{own_name}` to the `networks` of {place}, beside those that stand there, "
        "or beside `default`."
    )
    if own_name != network:
        return added
    return f"{added} Declare it at the end: `networks: {{{network}: {{external: true}}}}`."


def _changes(command: str) -> tuple[list[str], list[str]]:
    """The settings that a cure adds, as lines of a compose file, and those that it removes, in
    words."""
    recreated = list(_RECREATED.finditer(command))
    if recreated:
        return _recreate_changes(recreated[-1]["words"])
    updated = list(_UPDATED.finditer(f"{command} "))
    if updated:
        words = updated[-1]["words"].split()
        options = [f"{name}={value}" for name, value in zip(words[::2], words[1::2], strict=False)]
        return _compose_lines(options), []
    return [], []


def _recreate_changes(words: str) -> tuple[list[str], list[str]]:
    """The changes that a call of `diagnose recreate` names."""
    try:
        own_words, options = _halves(shlex.split(words))
    except ValueError:
        return [], []
    pairs = dict(_pairs(own_words[1:]))
    written = lines_of((), pairs["--image"]) if "--image" in pairs else []
    left_out = [f"{_GONE[name]} {value}" for name, value in pairs.items() if name in _GONE]
    return [*written, *_compose_lines(options)], left_out


def _halves(words: list[str]) -> tuple[list[str], list[str]]:
    """The words before and behind the first `--`."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1 :]


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    """Options with their values, joined or not."""
    for index, word in enumerate(words):
        name, joined, value = word.partition("=")
        if word.startswith("--"):
            following = words[index + 1] if index + 1 < len(words) else ""
            yield name, value if joined else following


def _compose_lines(options: list[str]) -> list[str]:
    """The keys of a compose file for these options, a list as YAML writes it in one line."""
    compose_options = [
        option for option in options if not _is_typed(option) and not option.startswith(_JOINING)
    ]
    typed = [option.partition("=")[2] for option in options if _is_typed(option)]
    lines: list[str] = []
    for line in lines_of(compose_options):
        entry = line.strip().removeprefix("- ")
        if line.startswith("  - ") and lines[-1].endswith(":"):
            lines[-1] += f" [{entry}]"
        elif line.startswith("  - "):
            lines[-1] = f"{lines[-1].removesuffix(']')}, {entry}]"
        else:
            lines.append(line)
    return [*lines, *(f"environment: [{name}=...]" for name in typed)]


def _is_typed(option: str) -> bool:
    """Whether an option takes the value of a variable from the shell."""
    return option.startswith("--env=") and "=" not in option.removeprefix("--env=")
