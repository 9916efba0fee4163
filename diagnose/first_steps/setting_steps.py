"""The first steps that change the setting to which a failed program objects."""

import posixpath
import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.passing_failures import passing_signatures
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.settings.changed_words import line_with_text
from diagnose.evidence.containers.settings.named.named_settings import (
    NamedSetting,
    named_setting,
    setting_in,
    setting_of_key,
)
from diagnose.first_steps.looks.subject_looks import OF_DATA
from diagnose.first_steps.named.line_steps import settings_folder
from diagnose.first_steps.plain_run import plain_run_steps
from diagnose.first_steps.value_corrections import corrected_value, corrected_word
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised
from diagnose.programs.failures.remedies import Filtered
from diagnose.programs.telling_line import TellingLine


def setting_of(container: Container, tail: LogTail) -> NamedSetting | None:
    """The setting that heals a known failure, or else the one to which its log objects.

    None where that is not known.
    """
    failure = tail.failure
    if failure is None:
        return named_setting(container, tail.telling)
    healing = None if _has_no_entry(container, failure) else setting_in(container, failure.cure)
    by_key = setting_of_key(container, failure.values.get("key", ""))
    setting = healing or named_setting(container, tail.telling) or by_key
    if setting is None and failure.name in _OF_VALUES:
        return _setting_beside(container, tail)
    return setting


_OF_VALUES = frozenset({"url-scheme", "value-refused"})
"""Failures of a value that another line of the same complaint may show."""


def _setting_beside(container: Container, tail: LogTail) -> NamedSetting | None:
    """The variable whose value a line beside the telling one repeats."""
    lines = tail.telling.neighbours if tail.telling is not None else ()
    settings = (named_setting(container, TellingLine(line)) for line in lines)
    return next((setting for setting in settings if setting is not None and setting.variable), None)


def _has_no_entry(container: Container, failure: Recognised) -> bool:
    """Whether the list from which the remedy takes entries has none of that kind."""
    remedy = failure.remedy
    if not isinstance(remedy, Filtered):
        return False
    entries = (container.config.value_of(remedy.variable) or "").split(remedy.separator)
    return not any(entry.strip().startswith(remedy.begin) for entry in entries)


def setting_variables(
    container: Container, tail: LogTail, setting: NamedSetting | None, *, may_pass: bool
) -> PageVariables:
    """The page variables about the setting to which the log objects.

    Where the log objects to something that does not change, and does not name its setting, the page
    shows all settings of the container. may_pass: another start comes first.
    """
    if may_pass or passing_signatures(container, tail):
        is_data = setting is not None and bool(setting.path) and _is_of_data(tail)
        return {} if is_data else _without_changes(setting)
    unset = _variable_to_unset(container, tail)
    if unset:
        return {"setting": unset, "unset": unset}
    if setting is not None and not _is_beside(setting, tail):
        return (
            _without_contents(setting, tail)
            | _corrected_value_steps(container, tail, setting)
            | _scheme_of_postgres(tail, setting)
        )
    folder = _folder_to_show(container, tail)
    if folder:
        return {"named_folder": folder}
    if tail.failure is None:
        # a program that complains has met something that it was given, or not given
        plain_run = {} if tail.has_complaint else plain_run_steps(container)
        return {"unexplained": container.name, **plain_run}
    return {"configured": container.name}


def _variable_to_unset(container: Container, tail: LogTail) -> str:
    """The variable of the container that the remedy of its known failure removes; "" for none."""
    variables = tail.failure.page_variables({}) if tail.failure is not None else {}
    name = variables.get("unset", "")
    return name if name and container.config.sets(name) else ""


def _folder_to_show(container: Container, tail: LogTail) -> str:
    """The one folder that the log means without its name; "" where it means none, or several."""
    if tail.failure_named("some-path-denied"):
        return _only_folder(container)
    if tail.failure_named("configuration-not-found"):
        return settings_folder(container)
    return ""


def _corrected_value_steps(
    container: Container, tail: LogTail, setting: NamedSetting
) -> PageVariables:
    """The page variables that replace the value, or the word of a file, to which the log objects by
    the one that it asks for."""
    if setting.path:
        word = corrected_word(tail.telling_text)
        return line_with_text(setting.path, setting.line, *word) if word is not None else {}
    if setting.fault != "value":
        return {}
    return corrected_value(container, setting.variable, tail.telling_text)


_PRIVATE = LazyPattern(
    r"\.(?:crt|der|jks|key|keystore|p12|pem|pfx)$|(?:^|/)(?:privkey|id_(?:rsa|ecdsa|ed25519))[^/]*$",
    re.IGNORECASE,
)
"""Files with keys and certificates: their lines explain nothing, and a key is secret."""


def _without_contents(setting: NamedSetting, tail: LogTail) -> PageVariables:
    """The page variables of a setting, without the lines of a file that the program may not use:
    its owner and its mode decide. For a file in another encoding its bytes decide. Of keys and
    certificates the page shows the owner, and no line; for a file that the program does not find,
    the folder on the host."""
    variables = setting.variables
    path = variables.get("setting_file", "")
    if path and tail.failure_named("path-missing"):
        return {"named_folder": posixpath.dirname(path)}
    is_refused = "permission" in signs(tail.telling_text)
    is_elsewhere = is_refused or tail.failure_named("path-denied", "not-utf-8") is not None
    is_private = _PRIVATE.search(path) is not None
    if not is_elsewhere and not is_private:
        return variables
    shown = {name: value for name, value in variables.items() if name not in _OF_LINES}
    return shown | ({} if is_elsewhere else {"certificates_in": posixpath.dirname(path)})


_OF_LINES = ("setting_file", "setting_line")


def _is_of_data(tail: LogTail) -> bool:
    """Whether the log names a file because of its room, its rights or the version that wrote it."""
    row = tail.failure.failure if tail.failure is not None else None
    return "no-space" in tail.signs or (row is not None and row.look in OF_DATA)


def _is_beside(setting: NamedSetting, tail: LogTail) -> bool:
    """Whether the line names the file or the folder of a setting, and is about something else."""
    if setting.path:
        return _is_of_data(tail)
    return bool(setting.folder) and _is_of_build(tail)


def _is_of_build(tail: LogTail) -> bool:
    """Whether another build of the image heals the known failure, and no file of settings does."""
    row = tail.failure.failure if tail.failure is not None else None
    return row is not None and row.look == "builds"


def _without_changes(setting: NamedSetting | None) -> PageVariables:
    """The page variables of a setting, without those of blocks that change it."""
    variables = setting.variables if setting is not None else {}
    changes = ("typed", "unset")
    return {name: value for name, value in variables.items() if name not in changes}


def _only_folder(container: Container) -> str:
    """The only folder of the host that is mounted to be written to; "" where there is none, or
    several."""
    sources = [mount.source for mount in container.bind_mounts if mount.rw]
    return sources[0] if len(sources) == 1 else ""


def _scheme_of_postgres(tail: LogTail, setting: NamedSetting) -> PageVariables:
    """The page variable with the variable whose address has a scheme that SQLAlchemy no longer
    accepts."""
    failure = tail.failure_named("url-scheme")
    if failure is None or failure.values.get("scheme") != "postgres":
        return {}
    # a program in Go lacks a driver, and knows the scheme
    is_given_up = "sqlalchemy" in failure.line
    return {"postgres_url": setting.variable} if is_given_up and setting.variable else {}
