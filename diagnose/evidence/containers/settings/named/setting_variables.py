"""The variable of a container's environment to which a log line leads. Pure."""

import operator
import re
from typing import Literal

from diagnose.error_signatures import CALL_FAILED, signs
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.settings.named.address_variables import variable_of_address
from diagnose.evidence.containers.settings.named.named_setting import NamedSetting
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.word_sets import vocabulary

SHORTEST = 4
"""Characters of a value, a name or an option that a line does not repeat by chance."""
_ORDINARY = LazyPattern(
    r"(?:^|_)(?:ENV|ENVIRONMENT|PATH|HOME|HOSTNAME|LANG|TERM|PWD|TZ|USER|SHELL|VERSION|LC_\w+)$"
)
"""Variables that images and shells set, not people, or whose values are ordinary words."""
_OF_THE_SHELL = LazyPattern(r"^(?:PATH|HOME|HOSTNAME|LANG|TERM|PWD|TZ|USER|SHELL|VERSION|LC_\w+)$")
"""Those of them whose bare names are ordinary words."""
_HAS_TO_GO = LazyPattern(
    r"deprecated|no longer|obsolete|\bexclusive\b|(?:was|been) removed|must not be set|mutually exclusive"
    r"|cannot be (?:used|set)\b"
)
"""Words of a program about a setting that it does not accept any more, in small letters. `unknown`
and `not supported` may be about its value."""
_WRONG_VALUE = LazyPattern(
    r"invalid|unknown|malformed|\bbad\b|\bmust\b|\bneeds? to\b|\bshould\b|expected|unsupported|illegal"
    r"|\bnot (?:seem|appear|look) (?:to be |like )?(?:an? )?valid"
    r"|not (?:an? )?(?:valid|supported|allowed|recogni[sz]ed|numeric|number|integer|url|uri)"
    r"|unrecogni[sz]ed|\bpars(?:e|ing)\b|\bformat|too (?:short|long|small|large|low|high)"
    r"|\binconsistent|incorrect|out of range|\bdiffers from\b|ambiguous|cannot (?:use|set|be)\b"
)
"""Words of a program about a value that it does not accept, in small letters."""
_MISSES = LazyPattern(
    r"\bno\b|\bnot\b|missing|required|empty|\bblank|unset|undefined|invalid|specif|provid|wrong number"
)
"""The line misses a value, or finds it wrong."""
_MISSES_A_VALUE = LazyPattern(
    r"missing|required|empty|\bblank|unset|undefined|\bnot (?:set|given|specified|provided|defined)"
    r"|\bno value|wrong number of arg"
)
"""Words among them that only mean a setting without a value."""
_ENDING = LazyPattern(r"(?<=[a-z])(?:pass(?:word)?|secret|token)$")
"""Endings of names that are written as one word."""
_PASSWORD = LazyPattern(r"PASS(?:WORD)?(?:_|$)|_AUTH$")
_HOST_OF_CALL = LazyPattern(r"(?:(?<=//)|(?<=@)|(?<![/\w.-]))[a-z][\w.-]*[a-z0-9]")
"""A word that may be the host of a call: not part of a path, unless it opens a URL."""


_WORDS_OF_ERRORS = vocabulary(
    """
    data database default directory disk error false file files folder info local memory mode name none null path
    production server service simple standalone storage system true user warn warning
    """
)
"""Values that are words of any error too: `no such file` says nothing of X_METHOD=file."""


def _with_wrong_value(variable: str | None) -> NamedSetting | None:
    return NamedSetting(variable=variable, fault="value") if variable else None


def repeated(container: Container, text: str) -> NamedSetting | None:
    """The variable whose value or name the line repeats; of several values, that of the longest.

    A short one may be a part of a longer one: `postgresql` of an address.
    """
    environment = container.config.environment
    fault: Literal["", "value"] = "value" if _WRONG_VALUE.search(text.lower()) else ""
    lines_with_it = [
        (len(value), name)
        for name, value in environment
        if not _ORDINARY.search(name) and _repeats(text, value)
    ]
    if lines_with_it:
        _, longest = max(lines_with_it, key=operator.itemgetter(0))
        return NamedSetting(variable=longest, fault=fault)
    for name, _ in environment:
        if _is_named(name, text):
            has_to_go = _HAS_TO_GO.search(text.lower())
            return NamedSetting(variable=name, fault="presence" if has_to_go else fault)
    return None


def _repeats(text: str, value: str) -> bool:
    """Whether a line has the value of a variable, and not by chance."""
    value = value.strip()
    if "redacted" in value or not stands_in(value, text):
        return False
    if value.lower() in _WORDS_OF_ERRORS:
        return any(f"{mark}{value}{mark}" in text for mark in ("'", '"', "`"))
    return len(value) >= SHORTEST or _is_quoted(value, text)


def _is_quoted(value: str, text: str) -> bool:
    """Whether a line has a short value in quotes or brackets, and thus not by chance."""
    is_word = len(value) >= SHORTEST - 1 and not value.isalpha() and not value.isdigit()
    return is_word and any(f"{mark}{value}{end}" in text for mark, end in ("''", '""', "()", "[]"))


def in_words(container: Container, text: str) -> NamedSetting | None:
    """The variable whose name the line has in words: TUNNEL_TOKEN of "Tunnel token is invalid"."""
    lowered = text.lower()
    if not _WRONG_VALUE.search(lowered):
        return None
    spoken = f" {' '.join(re.findall('[a-z0-9]+', lowered))} "
    prefixes = own_prefixes(container)
    names_here = [name for name, _ in container.config.environment]
    names = [name for name in names_here if _is_spoken(name, spoken, prefixes)]
    return _with_wrong_value(only(names))


def own_prefixes(container: Container) -> tuple[str, ...]:
    """The prefixes of a program's own variables: IMMICH_ in immich-server's image."""
    image = container.config.image.rpartition("/")[2].partition(":")[0]
    words = {re.split(r"[-_.]", name)[0].upper() for name in (container.name, image)}
    return tuple(f"{word}_" for word in sorted(words) if len(word) >= SHORTEST)


def _is_spoken(name: str, words: str, prefixes: tuple[str, ...]) -> bool:
    """Whether words, with a space before and behind each, have a variable's name in them.

    prefixes: beginnings of names, which the program may leave out.
    """
    if "_" not in name or _ORDINARY.search(name):
        return False
    rest = name.partition("_")[2] if name.startswith(prefixes) else ""
    names = (*_names_in_words(name), *(_names_in_words(rest) if "_" in rest else ()))
    return any(f" {spoken} " in words for spoken in names)


def _names_in_words(name: str) -> tuple[str, ...]:
    """A variable's name in words, whole and by its last two: Airflow's sections come before."""
    parts = [part for part in name.lower().split("_") if part]
    whole = " ".join(parts)
    last = " ".join(parts[-2:])
    return (whole, last) if "__" in name and len(last) > 2 * SHORTEST else (whole,)


def of_url(container: Container, text: str) -> NamedSetting | None:
    """The variable of an address, for a line about an unreadable address."""
    return _with_wrong_value(variable_of_address(container, text))


def empty(container: Container, text: str) -> NamedSetting | None:
    """The one variable without a value, for a line that misses something of a part of its name.

    Compose leaves it empty where the variable of the shell or of `.env` is not there.
    """
    if not _MISSES.search(text.lower()):
        return None
    words = _parts(text)
    names = [
        name
        for name, value in container.config.environment
        if not value and words & _parts(name.replace("_", " "))
    ]
    return _with_wrong_value(only(names))


def misses_value(container: Container, variable: str, text: str) -> bool:
    """Whether a variable of the container is empty, and a line misses a value."""
    is_empty = any(name == variable and not value for name, value in container.config.environment)
    return is_empty and _MISSES_A_VALUE.search(text.lower()) is not None


def _parts(text: str) -> set[str]:
    """The words of a text in small letters; of requirepass and REDISPASS also the end, pass."""
    words = set(re.findall(r"[a-z0-9]+", text.lower()))
    return words | {match[0] for match in filter(None, map(_ENDING.search, words))}


def of_password(container: Container, text: str) -> NamedSetting | None:
    """The only variable that gives a password, for a line about a refused password."""
    lowered = text.lower()
    if "password" not in lowered or not _WRONG_VALUE.search(lowered):
        return None
    names = [
        name
        for name, value in container.config.environment
        if value and _PASSWORD.search(name) and not name.endswith("_FILE")
    ]
    return _with_wrong_value(only(names))


def of_peer(container: Container, text: str) -> NamedSetting | None:
    """The variable whose value has the host that a line does not reach: a URL, host and port."""
    if not signs(text) & CALL_FAILED:
        return None
    hosts = {host for host in _HOST_OF_CALL.findall(text) if len(host) >= SHORTEST - 1}
    for name, value in container.config.environment:
        if not _ORDINARY.search(name) and hosts & set(_HOST_OF_CALL.findall(value)):
            return NamedSetting(variable=name)
    return None


def _is_named(name: str, text: str) -> bool:
    """Whether a line names a variable, or the setting that an image derives from it.

    KAFKA_ADVERTISED_LISTENERS becomes advertised.listeners.
    """
    is_itself = len(name) >= SHORTEST and stands_in(name, text)
    if _ORDINARY.search(name):
        return is_itself and not _OF_THE_SHELL.search(name)
    if is_itself:
        return True
    parts = [part for part in name.lower().split("_") if part]
    endings = (".".join(parts[start:]) for start in range(len(parts) - 1))
    normalised = text.lower().replace("_", ".").replace("-", ".")
    return any(
        len(ending) > 2 * SHORTEST and ending in normalised and stands_in(ending, normalised)
        for ending in endings
    )


def stands_in(value: str, text: str) -> bool:
    """Whether a line repeats a value whole, and not as the scheme of an address."""
    # the plain test first: hundreds of containers have thousands of variables
    if value not in text:
        return False
    return bool(re.search(rf"(?<![\w./-]){re.escape(value)}(?![\w/-]|\.\w|://)", text))


def variable_called(container: Container, words: str) -> str:
    """The variable that is set and that a message calls so: MEILI_MASTER_KEY as "master key".

    "" where there is none, or several.
    """
    if container.config.sets(words):
        return words
    end = "_" + re.sub(r"[ .-]", "_", words).upper()
    names_here = (name for name, value in container.config.environment if value)
    alike = [name for name in names_here if f"_{name}".endswith(end)]
    return (only(alike) or "") if words else ""
