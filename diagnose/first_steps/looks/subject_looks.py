"""Page variables of a look at the subject of a known failure, where no command heals it.

A row of `diagnose/programs/failures` says by its `look` which kind of thing that is; here it is
found on this host. A row without one is about settings.
"""

import posixpath
import re
from collections.abc import Iterator
from typing import Literal

from diagnose.error_signatures import FOUND_NOBODY, signs
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.settings.named.named_settings import named_setting
from diagnose.evidence.network.addresses import is_loopback
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.first_steps.looks.line_operands import named_operand
from diagnose.first_steps.looks.looks_by_kind import LOOKS, LookCase
from diagnose.first_steps.looks.spoken_subjects import spoken_subject
from diagnose.first_steps.named.line_steps import is_of_system, settings_folder, shown_settings
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.recognition import ABOUT_SETTINGS, Failure, Look
from diagnose.programs.telling_line import TellingLine

_NAMED_LINE = LazyPattern(r"\bline (\d{1,6})\b")
_WORDS = ("variable", "setting", "key", "option", "field", "name", "word", "unset", "second")
"""The groups of a row that hold the name of a setting, the surest first."""
_WORD = LazyPattern(r"(?=.*[A-Za-z])[\w.-]{3,80}")
_ADDRESS = LazyPattern(r"://|^[^=]*(?:host|addr|server|broker)", re.IGNORECASE)
"""Variables that may hold the address of a server."""
_PLACES = ("host", "address", "server", "peer", "url", "port")
"""The groups of a row that hold what the program has called."""
_BLAMED_MOUNT = LazyPattern(r"\bmount hides|\bmounts? (?:away|over)\b")
_SETTING = LazyPattern(r"\bsettings?\b|\boption\b|\bcommand of the container\b")
"""Words of rows about one setting that they do not name."""
_SETTINGS = LazyPattern(r"\bconfiguration|\bin (?:a|the) file\b|\bconfig\b|settings file")
"""Words of rows that are about files of settings."""
OF_DATA = frozenset({"data", "memory", "sharing", "versions"})
"""Looks of rows about what is in a file or under it, and not about the lines of settings."""


def subject_look(
    container: Container, failure: Recognised | None, text: str, containers: Containers | None
) -> PageVariables:
    """The page variables that show the subject of the failure; empty where it is unknown.

    text: the line that explains it.
    """
    case = LookCase(container, failure, text, containers)
    return next(filter(None, _looks(case)), {})


def running_look(
    container: Container, failure: Recognised | None, text: str, containers: Containers | None
) -> PageVariables:
    """The page variables about a running program, where its row names the subject.

    Elsewhere its line may be about a request.
    """
    if failure is None:
        return {}
    case = LookCase(container, failure, text, containers)
    return next(filter(None, _running_looks(case, failure.failure)), {})


def _running_looks(case: LookCase, row: Failure) -> Iterator[PageVariables]:
    kind = _kind_of(case)
    yield _own_calls(case)
    if kind:
        yield LOOKS[kind](case)
    if row.turns_away or row.of_running is ABOUT_SETTINGS:
        yield _place_of_word(case)
        yield _mounted_settings(case)


def _looks(case: LookCase) -> Iterator[PageVariables]:
    kind = _kind_of(case)
    yield _own_calls(case)
    yield _hidden_place(case, kind)
    yield _unnamed_place(case)
    if kind:
        yield LOOKS[kind](case)
    yield _unanswered_place(case)
    yield _own_port(case)
    yield _place_of_word(case)
    yield _mounted_settings(case)
    yield _definition(case)


def _kind_of(case: LookCase) -> Look | Literal[""]:
    """The kind of thing in the row, or in the words of a line without a row."""
    if case.failure is None:
        return spoken_subject(case.text)
    row = case.failure.failure
    return row.look or ("builds" if row.build else "")


def _own_calls(case: LookCase) -> PageVariables:
    """The variables that may name a server, where the program calls its own container."""
    is_of_loopback = case.failure is not None and case.failure.name.startswith("loopback-")
    is_alone = is_of_loopback and not case.container.shares_network
    return {"self_caller": case.container.name} if is_alone else {}


def _unanswered_place(case: LookCase) -> PageVariables:
    """The page variables of the host and port at which nobody answers the line's call."""
    host, port = place_in(case.text)
    is_call = bool(signs(case.text) & FOUND_NOBODY)
    if not (host and port and is_call) or is_loopback(host):
        return {}
    return {"asked_host": host, "asked_port": str(port)}


def _unnamed_place(case: LookCase) -> PageVariables:
    """The page variables of the addresses that the program is given, where its line does not name
    the called one."""
    host, _ = place_in(case.text)
    is_call = bool(signs(case.text) & FOUND_NOBODY)
    has_address = any(_ADDRESS.search(variable) for variable in case.container.config.env or ())
    is_unnamed = is_call and not host and not case.value(*_PLACES) and has_address
    return {"calls_of": case.container.name} if is_unnamed else {}


def _hidden_place(case: LookCase, kind: Look | Literal[""]) -> PageVariables:
    """The page variable of the only folder that is mounted where the program may be, where its row
    blames a mount.

    A part that the row names is better searched in the image.
    """
    row = case.failure.failure if case.failure is not None else None
    is_blamed = row is not None and _BLAMED_MOUNT.search(f"{row.cause} {row.cure}")
    if not is_blamed or (kind == "image" and case.missed_part):
        return {}
    container = case.container
    folder = f"{container.config.working_dir.rstrip('/')}/"
    places_near = [
        mount
        for mount in container.bind_mounts
        if f"{mount.destination}/".startswith(folder) or folder.startswith(f"{mount.destination}/")
    ]
    mount = only(
        [mount for mount in places_near if "." not in posixpath.basename(mount.destination)]
    )
    if mount is None:
        return {}
    return {
        "hiding_folder": mount.source,
        "hidden_in": container.name,
        "hidden_place": mount.destination.strip("/"),
    }


def _place_of_word(case: LookCase) -> PageVariables:
    """The page variables that search the folder of compose and its files for the word that the
    line names."""
    host = case.value("address").partition("://")[2]
    word = case.value(*_WORDS) or _objected_word(case) or host
    folder = posixpath.normpath(_place_of_settings(case))
    is_name = _WORD.fullmatch(word) is not None and not word.isdigit()
    is_folder = folder.startswith("/") and not is_of_system(folder)
    return {"named_word": word, "word_folder": folder} if is_name and is_folder else {}


def _place_of_settings(case: LookCase) -> str:
    """The mounted settings where the row is about a file of these; else the compose project."""
    mounted = settings_folder(case.container)
    project = case.container.compose_folder
    return mounted if mounted and _is_about_file(case) else project or mounted


def _is_about_file(case: LookCase) -> bool:
    row = case.failure.failure if case.failure is not None else None
    return row is not None and _SETTINGS.search(f"{row.cause} {row.cure}") is not None


def _own_port(case: LookCase) -> PageVariables:
    """The port that is taken in a network of the container's own."""
    port = case.value("port")
    is_taken = case.failure is not None and case.failure.name == "port-inside"
    if not (is_taken and port.isdigit()) or case.container.shares_host_network:
        return {}
    return {"port_of": case.container.name, "own_port": port}


def _objected_word(case: LookCase) -> str:
    """The word of a complaint about settings that its row does not capture."""
    row = case.failure.failure if case.failure is not None else None
    is_about = row is not None and (row.of_running is ABOUT_SETTINGS or _SETTING.search(row.cause))
    return named_operand(case.text) if is_about else ""


def _mounted_settings(case: LookCase) -> PageVariables:
    """The page variable of the only mount with its settings, for a failure of those."""
    if not _is_about_file(case) or _names_a_file(case):
        return {}
    shown = shown_settings(case.container)
    file_and_line = _NAMED_LINE.search(case.text)
    if file_and_line and "setting_line" in shown:
        return shown | {"setting_line": file_and_line[1]}
    return shown


def _names_a_file(case: LookCase) -> bool:
    """Whether the line names a mounted file, which is shown in the place of the others."""
    setting = named_setting(case.container, TellingLine(case.text))
    return setting is not None and bool(setting.path)


def _definition(case: LookCase) -> PageVariables:
    """The page variables of the service in its compose file, which has all its settings.

    Where the line is not known, a run of the image alone shows more.
    """
    place = case.container.page_variables
    is_of_compose = "project_file" in place and case.failure is not None
    return {"defined_service": f"{place['project_service']}:"} if is_of_compose else {}
