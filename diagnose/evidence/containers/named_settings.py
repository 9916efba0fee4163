"""Where a setting was made that a failed program's log line names.

In a variable, a mounted file, or the command.

Most programs that end at their start object to a setting, and say which. The line alone leaves open
whether the value came from the environment, from a file of the host, or from the command. Pure.
"""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from diagnose.error_signatures import signs
from diagnose.evidence.containers.address_variables import variable_of_address
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import named
from diagnose.evidence.containers.spoken_names import spoken_names
from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures import Recognised
from diagnose.programs.telling_line import TellingLine

SHORTEST = 4
"""Characters of a value, a name or an option that a line does not repeat by chance."""
_ORDINARY = LazyPattern(
    r"(?:^|_)(?:PATH|HOME|HOSTNAME|LANG|TERM|PWD|TZ|USER|SHELL|VERSION|LC_\w+)$"
)
"""Variables that images and shells set, not people."""
_OF_THE_SHELL = LazyPattern(r"^(?:PATH|HOME|HOSTNAME|LANG|TERM|PWD|TZ|USER|SHELL|VERSION|LC_\w+)$")
"""Those of them whose bare names are ordinary words."""
_LINE_NUMBER = LazyPattern(r"^['\"]?(?::|, line |\(| at line | on line )(\d{1,6})\b")
_ANY_LINE_NUMBER = LazyPattern(r"\bline (\d{1,6})\b")
"""Behind a file that is named elsewhere in the line, or that only the command names."""
_CALLER = LazyPattern(r"\b(?:imported|required|included|called) (?:from|by|in) ['\"]?$")
"""Before a file that is at fault for nothing but that it asks for another one."""
_FRAME = LazyPattern(r"^:\d+(?::\d+)?:in [`']")
"""Behind a file of a stack: the program's own code."""
_HAS_TO_GO = LazyPattern(
    r"deprecated|no longer|obsolete|\bexclusive\b|(?:was|been) removed|must not be set|mutually exclusive"
    r"|cannot be (?:used|set)\b"
)
"""What a program says of a setting that it does not take any more, in small letters. `unknown` and
`not supported` may be said of its value."""
_WRONG_VALUE = LazyPattern(
    r"invalid|unknown|malformed|\bbad\b|\bmust\b|\bneeds? to\b|\bshould\b|expected|unsupported|illegal"
    r"|not (?:an? )?(?:valid|supported|allowed|recogni[sz]ed|numeric|number|integer|url|uri)"
    r"|unrecogni[sz]ed|\bpars(?:e|ing)\b|\bformat|too (?:short|long|small|large|low|high)"
    r"|incorrect|out of range|\bdiffers from\b|ambiguous|cannot (?:use|set|be)\b"
)
"""What a program says of a value that it does not take, in small letters."""
_MISSES = LazyPattern(
    r"\bno\b|\bnot\b|missing|required|empty|\bblank|unset|undefined|invalid|specif|provid|wrong number"
)
_CONTENTS = LazyPattern(
    r"has files|not empty|unusable|is empty|no such|not (?:be )?found|missing|cannot find|can't find"
    r"|directory index of|could not find|corrupt|damaged|incompatible|unknown format|already (?:exists|contains)"
)
"""What a program says of what lies in a folder, in small letters."""
_ABOUT_SETTINGS = LazyPattern(
    r"\bconfig|\bconf\b|\bsyntax|\bdirective|\bdefinition|\bsettings?\b|\bpars(?:e|er|ing)\b"
    r"|\bunmarshal|\byaml\b|\btoml\b|\bjson\b|\bfield\b|<block\b"
)
_PASSWORD = LazyPattern(r"PASS(?:WORD)?(?:_|$)|_AUTH$")
_NO_ANSWER = frozenset({"dns", "refused", "timeout", "unreachable"})
_HOST_OF_CALL = LazyPattern(r"(?:(?<=//)|(?<=@)|(?<![/\w.-]))[a-z][\w.-]*[a-z0-9]")
"""A word that may be the host of a call: not part of a path, unless it opens a URL."""
_FILE_OF_SETTINGS = LazyPattern(
    r"/[\w.-]+\.(?:ya?ml|toml|json|ini|conf|cfg|cnf|hcl|xml|properties|env)$"
)
_BINARY = re.compile(r"\.(?:aof|class|db|dll|gz|jar|jks|node|p12|pyc|rdb|so|sqlite3?|tar|war|zip)$")
"""Files that no terminal can show: what lies beside them is looked at instead."""
_RELATIVE = LazyPattern(
    r"(?:\bENOENT\b|[Nn]o such file)[^'\"]{0,60}['\"](?P<path>[\w-][\w.-]*(?:/[\w.@+-]+)+)['\"]"
)
_LEAST_PART = 6
_PLACES = frozenset(["config", "configs", "configuration", "default", "custom", "docker", "server"])
"""Folders of many images, whose names say nothing."""
_VARIABLE_OF_CURE = LazyPattern(r"\b[A-Z][A-Z0-9]*_[A-Za-z0-9_]+\b")
_OPTION = LazyPattern(r"(?<![\w-])--?[A-Za-z][\w-]{2,}")


class NamedSetting(msgspec.Struct, frozen=True):
    """One setting to which a line leads; the fields of the other kinds are empty."""

    variable: str = ""
    """Of the container's environment."""
    path: str = ""
    """A mounted file as the host has it."""
    inside: str = ""
    """The same file in the container."""
    line: int = 0
    """In that file, 0 where the log does not say."""
    option: str = ""
    """A word of the container's command."""
    folder: str = ""
    """A mounted folder as the host has it, of settings or (is_data) of data."""
    is_data: bool = False
    fault: Literal["", "value", "presence"] = ""
    """What the program objects to, the value or that it is there at all ("" where the line may be
    about something else)."""

    @property
    def text(self) -> str:
        """Where the setting is made, as evidence says it."""
        if self.variable:
            return f"environment variable {self.variable}"
        if self.option:
            return f"option {self.option} of its command"
        if self.is_data:
            return f"{self.inside} is the folder {self.folder} on the host"
        if self.folder:
            return f"most likely in the files of {self.folder}, which is mounted at {self.inside}"
        at = f", line {self.line}" if self.line else ""
        return f"{self.inside} is {self.path} on the host{at}"

    @property
    def variables(self) -> dict[str, str]:
        """The variables of a page about it."""
        if self.variable:
            by_fault = {"value": "typed", "presence": "unset"}
            change = {by_fault[self.fault]: self.variable} if self.fault else {}
            return {"setting": self.variable, **change}
        if self.option:
            return {"option": self.option}
        if self.is_data:
            return {"named_folder": self.folder}
        if self.folder:
            return {"setting_folder": self.folder}
        if _BINARY.search(self.path):
            return {"named_folder": self.path.rpartition("/")[0]}
        return {"setting_file": self.path, "setting_line": str(self.line)}


def named_setting(container: Container, telling: TellingLine | None) -> NamedSetting | None:
    """The setting that the line names; None where it names none of this container's.

    A file comes first, for a line that names one is seldom about anything else; then a variable
    whose value or name the line repeats; then an option of the command. Where the line gives the
    number of a line alone, it is one of the file that the command names. A folder whose name the
    line repeats comes last.
    """
    if telling is None:
        return None
    text = telling.whole
    return (
        _file(container, text)
        or _relative(container, text)
        or _variable(container, text)
        or _variable_in_words(container, text)
        or _variable_of_url(container, text)
        or _option(container, text)
        or _file_of_command(container, text)
        or _empty_variable(container, text)
        or _variable_of_password(container, text)
        or _variable_of_peer(container, text)
        or only_file(container, text)
        or (_folder(container, text) if telling.explains else None)
    )


def setting_in(container: Container, cure: str) -> NamedSetting | None:
    """Where the container is given what the cure of a known failure names.

    An option in its command, or in a variable such as NODE_OPTIONS; or else a variable.
    """
    for option in _OPTION.findall(cure):
        if any(word.startswith(option) for word in container.config.words):
            return NamedSetting(option=option)
        for name, value in container.config.environment:
            if option in value:
                return NamedSetting(variable=name)
    own = {name for name, _ in container.config.environment}
    named_in_cure = [name for name in _VARIABLE_OF_CURE.findall(cure) if name in own]
    return NamedSetting(variable=named_in_cure[0], fault="value") if named_in_cure else None


def setting_of_key(container: Container, key: str) -> NamedSetting | None:
    """The option of the container's command that ends with a key the program does not know."""
    last = key.lower()
    for word in container.config.words[1:]:
        option = word.partition("=")[0]
        if option.startswith("--") and option.lower().rpartition(".")[2].lstrip("-") == last:
            return NamedSetting(option=option)
    return None


def missing_variable(container: Container, failure: Recognised) -> str:
    """The variable that a line asks for; of two that the line names, the one that is not set.

    "" where the line names none.
    """
    setting = failure.values.get("setting", "")
    if setting:
        return re.sub(r"[^a-zA-Z0-9]", "_", setting).upper()
    first, second = (failure.values.get(name, "") for name in ("variable", "second"))
    return second if second and container.config.sets(first) else first


def _file(container: Container, text: str) -> NamedSetting | None:
    place = named(container, text)
    if place is None or not place.mount.source.startswith("/") or ".." in place.rest:
        return None
    inside = place.inside
    if not place.rest and not _looks_like_file(inside):
        return _mounted_folder(place.mount, text)
    before, _, behind = text.partition(inside)
    if _CALLER.search(before) or _FRAME.match(behind):
        return None
    number = _LINE_NUMBER.match(behind) or _ANY_LINE_NUMBER.search(text)
    return NamedSetting(path=place.on_host[-1], inside=inside, line=int(number[1]) if number else 0)


def _relative(container: Container, text: str) -> NamedSetting | None:
    """The mounted folder that lacks a file which the line names from the working directory."""
    match = _RELATIVE.search(text)
    at = container.config.working_dir
    if match is None or not at.startswith("/"):
        return None
    path = f"{at.rstrip('/')}/{match['path']}"
    place = named(container, path)
    if place is None or not place.rest or not place.mount.source.startswith("/"):
        return None
    inside = path.rpartition("/")[0]
    return NamedSetting(folder=place.on_host[-2], inside=inside, is_data=True)


def _mounted_folder(mount: Mount, text: str) -> NamedSetting | None:
    """A mounted folder whose contents the line objects to."""
    if not _CONTENTS.search(text.lower()):
        return None
    return NamedSetting(folder=mount.source, inside=mount.destination, is_data=True)


def _file_of_command(container: Container, text: str) -> NamedSetting | None:
    """The one file that the command names and that is mounted, for complaints about a setting."""
    number = _ANY_LINE_NUMBER.search(text)
    if number is None and not _ABOUT_SETTINGS.search(text.lower()):
        return None
    paths = (word.rpartition("=")[2] for word in container.config.words[1:])
    mounted = {path: named(container, path) for path in paths if path.startswith("/")}
    files = [
        place
        for path, place in mounted.items()
        if place is not None and place.inside == path and place.mount.source.startswith("/")
    ]
    if len(files) != 1 or ".." in files[0].rest:
        return None
    line = int(number[1]) if number else 0
    return NamedSetting(path=files[0].on_host[-1], inside=files[0].inside, line=line)


def _folder(container: Container, text: str) -> NamedSetting | None:
    """The mounted folder of which the line repeats a name: provisioning, datasources.

    Names of the program itself, which stand in the image's name, say nothing.
    """
    lowered = text.lower()
    own = f"{container.name} {container.config.image}".lower()
    repeated = {
        mount.destination: mount.source
        for mount in container.mounts or ()
        if mount.type == "bind" and any(part in lowered for part in _telling_parts(mount, own))
    }
    if len(repeated) != 1:
        return None
    ((inside, folder),) = repeated.items()
    if _looks_like_file(inside):
        return NamedSetting(path=folder, inside=inside)
    return NamedSetting(folder=folder, inside=inside)


def _looks_like_file(path: str) -> bool:
    """Whether a name is that of a file: with an ending, or as Caddyfile and Gemfile are written."""
    name = path.rpartition("/")[2]
    return "." in name or name[:1].isupper()


def _telling_parts(mount: Mount, own: str) -> list[str]:
    parts = (part.lower().rstrip("s") for part in mount.destination.split("/"))
    return [
        part
        for part in parts
        if len(part) >= _LEAST_PART and part not in own and part not in _PLACES
    ]


def _variable(container: Container, text: str) -> NamedSetting | None:
    own = container.config.environment
    by_value = (
        name
        for name, value in own
        if (len(value.strip()) >= SHORTEST or _is_quoted(value.strip(), text))
        and not _ORDINARY.search(name)
        and "redacted" not in value
        and _stands_in(value.strip(), text)
    )
    by_name = (name for name, _ in own if _is_named(name, text))
    fault: Literal["", "value"] = "value" if _WRONG_VALUE.search(text.lower()) else ""
    if name := next(by_value, ""):
        return NamedSetting(variable=name, fault=fault)
    if name := next(by_name, ""):
        has_to_go = _HAS_TO_GO.search(text.lower())
        return NamedSetting(variable=name, fault="presence" if has_to_go else fault)
    return None


def _is_quoted(value: str, text: str) -> bool:
    """Whether a line has a short value in quotes or brackets, so that it is not there by chance."""
    is_word = len(value) >= SHORTEST - 1 and not value.isalpha() and not value.isdigit()
    return is_word and any(f"{mark}{value}{end}" in text for mark, end in ("''", '""', "()", "[]"))


def _variable_in_words(container: Container, text: str) -> NamedSetting | None:
    """The variable whose name the line has in words: TUNNEL_TOKEN of "Tunnel token is invalid"."""
    lowered = text.lower()
    if not _WRONG_VALUE.search(lowered):
        return None
    spoken = f" {' '.join(re.findall('[a-z0-9]+', lowered))} "
    names = [
        name
        for name, _ in container.config.environment
        if "_" in name
        and not _ORDINARY.search(name)
        and any(f" {words} " in spoken for words in spoken_names(name))
    ]
    return NamedSetting(variable=names[0], fault="value") if len(names) == 1 else None


def _variable_of_url(container: Container, text: str) -> NamedSetting | None:
    name = variable_of_address(container, text)
    return NamedSetting(variable=name, fault="value") if name else None


def _empty_variable(container: Container, text: str) -> NamedSetting | None:
    """The one variable without a value, for a line that misses something of a part of its name.

    Compose leaves it empty where the variable of the shell or of `.env` is not there.
    """
    if not _MISSES.search(text.lower()):
        return None
    words = set(re.findall(r"[a-z0-9]+", text.lower()))
    empty = [
        name
        for name, value in container.config.environment
        if not value and words & set(name.lower().split("_"))
    ]
    return NamedSetting(variable=empty[0], fault="value") if len(empty) == 1 else None


def _variable_of_password(container: Container, text: str) -> NamedSetting | None:
    """The one variable that gives a password, for a line that does not take it."""
    lowered = text.lower()
    if "password" not in lowered or not _WRONG_VALUE.search(lowered):
        return None
    names = [
        name
        for name, value in container.config.environment
        if value and _PASSWORD.search(name) and not name.endswith("_FILE")
    ]
    return NamedSetting(variable=names[0], fault="value") if len(names) == 1 else None


def _variable_of_peer(container: Container, text: str) -> NamedSetting | None:
    """The variable whose value has the host that a line does not reach: a URL, host and port."""
    if not signs(text) & _NO_ANSWER:
        return None
    hosts = {host for host in _HOST_OF_CALL.findall(text) if len(host) >= SHORTEST - 1}
    for name, value in container.config.environment:
        if not _ORDINARY.search(name) and hosts & set(_HOST_OF_CALL.findall(value)):
            return NamedSetting(variable=name)
    return None


def only_file(container: Container, text: str) -> NamedSetting | None:
    """The one file of settings that is mounted, for a complaint about settings."""
    if not _ABOUT_SETTINGS.search(text.lower()):
        return None
    files = [mount for mount in container.mounts or () if _FILE_OF_SETTINGS.search(mount.source)]
    if len(files) != 1 or files[0].type != "bind":
        return None
    number = _ANY_LINE_NUMBER.search(text)
    line = int(number[1]) if number else 0
    return NamedSetting(path=files[0].source, inside=files[0].destination, line=line)


def _stands_in(value: str, text: str) -> bool:
    """Whether a line repeats a value whole."""
    # the plain test first: hundreds of containers have thousands of variables
    if value not in text:
        return False
    return bool(re.search(rf"(?<![\w./-]){re.escape(value)}(?![\w/-]|\.\w)", text))


def _is_named(name: str, text: str) -> bool:
    """Whether a line names a variable, or the setting that an image makes of it.

    KAFKA_ADVERTISED_LISTENERS becomes advertised.listeners.
    """
    is_itself = len(name) >= SHORTEST and _stands_in(name, text)
    if _ORDINARY.search(name):
        return is_itself and not _OF_THE_SHELL.search(name)
    if is_itself:
        return True
    parts = [part for part in name.lower().split("_") if part]
    endings = (".".join(parts[start:]) for start in range(len(parts) - 1))
    normalised = text.lower().replace("_", ".").replace("-", ".")
    return any(
        len(ending) > 2 * SHORTEST and ending in normalised and _stands_in(ending, normalised)
        for ending in endings
    )


def _option(container: Container, text: str) -> NamedSetting | None:
    for word in container.config.words:
        option = word.partition("=")[0]
        name = option.lstrip("-")
        if not word.startswith("-") or len(name) < SHORTEST:
            continue
        # "config" and "file" stand in many lines: a name of one word counts with its dashes alone
        is_named = "-" in name and (
            _stands_in(name, text) or _stands_in(name.replace("-", "_"), text)
        )
        if option in text or is_named:
            return NamedSetting(option=option)
    return None
