"""The variable, mounted file or option behind a setting that a failed program's log line names.

Most programs that end at their start object to a setting, and say which. The line alone leaves open
whether the value came from the environment, from a file of the host, or from the command. Pure.
"""

import re
from collections.abc import Callable

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.named import setting_files, setting_variables
from diagnose.evidence.containers.settings.named.named_setting import NamedSetting
from diagnose.evidence.containers.settings.named.setting_files import only_file
from diagnose.evidence.containers.settings.named.setting_variables import SHORTEST, stands_in
from diagnose.evidence.containers.variables.variable_faults import first_unset
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised
from diagnose.programs.telling_line import TellingLine
from diagnose.word_sets import vocabulary

__all__ = [
    "NamedSetting",
    "missing_variable",
    "named_setting",
    "only_file",
    "setting_in",
    "setting_of_key",
]

_VARIABLE_OF_CURE = LazyPattern(r"\b[A-Z][A-Z0-9]*_[A-Za-z0-9_]+\b")
_ACCEPTED = LazyPattern(
    r"\b(?:one of|(?:following|possible|valid|allowed|supported) (?:options|values)|choose from)\b"
    r"(?P<values>[^\n]{1,300})",
    re.IGNORECASE,
)
"""The list of the values that a program accepts, in its objection to another one."""
_OPTION = LazyPattern(r"(?<![\w-])--?[A-Za-z][\w-]{2,}")


def named_setting(container: Container, telling: TellingLine | None) -> NamedSetting | None:
    """The setting that the line names; None where it names none of this container's.

    A file comes first, for a line that names one is seldom about anything else; then a variable
    whose value or name the line repeats; then an option of the command. Where the line gives the
    number of a line alone, it is one of the file that the command names. A folder whose name the
    line repeats comes last.
    """
    if telling is None:
        return None
    for find in _IN_ORDER:
        setting = find(container, telling.whole)
        if setting is not None and not _has_listed_value(container, setting, telling.whole):
            is_missed = setting_variables.misses_value(container, setting.variable, telling.whole)
            return msgspec.structs.replace(setting, is_missed=is_missed)
    return setting_files.repeated_folder(container, telling.whole) if telling.explains else None


def _has_listed_value(container: Container, setting: NamedSetting, text: str) -> bool:
    """Whether the line lists the value of the variable among those that the program accepts.

    A file of the program's own has another value then, and comes before the variable.
    """
    accepted = _ACCEPTED.search(text) if setting.variable and setting.fault == "value" else None
    value = container.config.value_of(setting.variable)
    return accepted is not None and bool(value) and stands_in(value, accepted["values"])


def setting_in(container: Container, cure: str) -> NamedSetting | None:
    """The container's setting that the cure of a known failure names; or None.

    An option in its command, or in a variable such as NODE_OPTIONS; or else a variable.
    """
    for option in _OPTION.findall(cure):
        if any(word.startswith(option) for word in container.config.words):
            return NamedSetting(option=option)
        for name, value in container.config.environment:
            if option in value:
                return NamedSetting(variable=name)
    variable_names = {name for name, _ in container.config.environment}
    named_in_cure = [name for name in _VARIABLE_OF_CURE.findall(cure) if name in variable_names]
    return NamedSetting(variable=named_in_cure[0], fault="value") if named_in_cure else None


def setting_of_key(container: Container, key: str) -> NamedSetting | None:
    """The option of the container's command that ends with a key the program does not know."""
    last = key.lower()
    if not last:
        return None
    for word in container.config.words[1:]:
        option = word.partition("=")[0]
        if option.startswith("--") and option.lower().rpartition(".")[2].lstrip("-") == last:
            return NamedSetting(option=option)
    return None


_CLASS_OF_SETTINGS = LazyPattern(
    r"(?P<of>[A-Z][A-Za-z0-9]{1,30}?)(?:Settings|Config(?:uration)?|Env\w*)"
)
_OF_ANY_PROGRAM = frozenset({"App", "Application", "Base", "Global", "Main", "My", "Server"})
_NAMES_OF_ANY = vocabulary(
    "API_KEY DATABASE DSN HOST HOSTNAME ID KEY NAME PASSWORD PORT REALM SECRET TOKEN URI URL USER USERNAME"
)
"""Names of settings that say nothing without what they belong to."""


def _prefix_of_class(container: Container, class_name: str, name: str) -> str:
    """The prefix that pydantic's class of settings has by its own name, or "".

    KeycloakSettings reads KEYCLOAK_URL. "" where neither the container nor the name itself shows
    that.
    """
    match = _CLASS_OF_SETTINGS.fullmatch(class_name)
    if match is None or match["of"] in _OF_ANY_PROGRAM:
        return ""
    prefix = "_".join(re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", match["of"])).upper() + "_"
    is_given = any(
        variable_name.startswith(prefix) for variable_name, _ in container.config.environment
    )
    return prefix if is_given or name in _NAMES_OF_ANY else ""


def missing_variable(container: Container, failure: Recognised) -> str:
    """The variable that a line asks for; of several that the line names, an unset one.

    "" where the line names none.
    """
    setting = failure.values.get("setting", "")
    if setting:
        name = re.sub(r"[^a-zA-Z0-9]", "_", setting).upper()
        name = _prefix_of_class(container, failure.values.get("class", ""), name) + name
        return first_unset(failure.line, container, name)
    first, second = (failure.values.get(name, "") for name in ("variable", "second"))
    variable = second if second and container.config.sets(first) else first
    return first_unset(failure.line, container, variable)


def _option(container: Container, text: str) -> NamedSetting | None:
    """The option of the command that the line names, with its dashes or in words."""
    for word in container.config.words:
        option = word.partition("=")[0]
        name = option.lstrip("-")
        if not word.startswith("-") or len(name) < SHORTEST:
            continue
        # "config" and "file" are in many lines: a name of one word counts with its dashes alone
        is_named = "-" in name and (
            stands_in(name, text) or stands_in(name.replace("-", "_"), text)
        )
        if option in text or is_named:
            return NamedSetting(option=option)
    return None


_IN_ORDER: tuple[Callable[[Container, str], NamedSetting | None], ...] = (
    setting_files.named_file,
    setting_files.from_working_directory,
    setting_variables.repeated,
    setting_variables.in_words,
    setting_variables.of_url,
    _option,
    setting_variables.empty,
    setting_files.of_command,
    setting_variables.of_password,
    setting_variables.of_peer,
    setting_files.only_file,
)
"""The first that finds a setting counts."""
