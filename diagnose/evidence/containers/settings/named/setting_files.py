"""The mounted file or folder of settings to which a log line leads. Pure."""

import posixpath

import msgspec

from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.settings.named.named_setting import NamedSetting
from diagnose.lazy_pattern import LazyPattern

_LINE_NUMBER = LazyPattern(r"^['\"]?(?::|, line |\(| at line | on line )(\d{1,6})\b")
_ANY_LINE_NUMBER = LazyPattern(r"\bline:? (\d{1,6})\b")
"""Behind a file that is named elsewhere in the line, or that only the command names."""
_CALLER = LazyPattern(r"\b(?:imported|required|included|called) (?:from|by|in) ['\"]?$")
"""The word before a file that only asks for the file at fault."""
_FRAME = LazyPattern(r"^:\d+(?::\d+)?:in [`']")
"""Behind a file of a stack: the program's own code."""
_CONTENTS = LazyPattern(
    r"has files|not empty|unusable|is empty|no such|not (?:be )?found|missing|cannot find|can't find"
    r"|directory index of|could not find|corrupt|damaged|incompatible|unknown format|already (?:exists|contains)"
)
"""Words of a program about the contents of a folder, in small letters."""
_ABOUT_SETTINGS = LazyPattern(
    r"\bconfig|\bconf\b|\bsyntax|\bdirective|\bdefinition|\bsettings?\b|\bpars(?:e|er|ing)\b"
    r"|\bunmarshal|\byaml\b|\btoml\b|\bjson\b|\bfield\b|<block\b"
)
"""The line is about a settings file, its syntax or a directive in it."""
_FILE_OF_SETTINGS = LazyPattern(
    r"/[\w.-]+\.(?:ya?ml|toml|json|ini|conf|cfg|cnf|hcl|xml|properties|env)$"
)
_FILE_OF_IMAGE = LazyPattern(
    r"(?<![\w.:/-])(?P<path>(?:/[\w.+-]{1,60}){2,8}\.(?:ya?ml"
    r"|toml|json|ini|conf|cfg|cnf|hcl|xml|properties))\b"
)
"""The path of a settings file by its ending: /etc/app/config.yaml."""
_RELATIVE = LazyPattern(
    r"(?:\bENOENT\b|[Nn]o such file)[^'\"]{0,60}['\"](?P<path>[\w-][\w.-]*(?:/[\w.@+-]+)+)['\"]"
)
_OF_PROGRAMS = LazyPattern(r"(?:/usr)?(?:/local)?/s?bin/")
_LEAST_PART = 6
_PLACES = frozenset(["config", "configs", "configuration", "default", "custom", "docker", "server"])
"""Folders of many images, whose names say nothing."""


def named_file(container: Container, text: str) -> NamedSetting | None:
    """The mounted file that the line names, or the folder whose contents it objects to."""
    place = named_path(container, text)
    if place is None or not place.mount.has_host_path or ".." in place.rest:
        return None
    inside = place.path_inside
    if not place.rest and not _looks_like_file(inside):
        return _mounted_folder(place.mount, text)
    before, _, behind = text.partition(inside)
    if _CALLER.search(before) or _FRAME.match(behind):
        return None
    number = _LINE_NUMBER.match(behind) or _ANY_LINE_NUMBER.search(text)
    return NamedSetting(
        path=place.on_host[-1], path_inside=inside, line=int(number[1]) if number else 0
    )


class FileOfImage(msgspec.Struct, frozen=True):
    """A file of settings in an image, of which a line of a log complains."""

    path: str
    line: int
    """The number of the line in that file, 0 where the log gives none."""


def file_of_image(container: Container, text: str) -> FileOfImage | None:
    """The file of settings in the image that a line of the log names; None if a mount has it."""
    match = _FILE_OF_IMAGE.search(text)
    if match is None or named_path(container, match["path"]) is not None:
        return None
    number = _LINE_NUMBER.match(text[match.end() :]) or _ANY_LINE_NUMBER.search(text)
    return FileOfImage(match["path"], int(number[1]) if number else 0)


def from_working_directory(container: Container, text: str) -> NamedSetting | None:
    """The mounted folder that lacks a file which the line names from the working directory."""
    match = _RELATIVE.search(text)
    at = container.config.working_dir
    if match is None or not at.startswith("/"):
        return None
    path = f"{at.rstrip('/')}/{match['path']}"
    place = named_path(container, path)
    if place is None or not place.rest or not place.mount.has_host_path:
        return None
    inside = posixpath.dirname(path)
    return NamedSetting(folder=place.on_host[-2], path_inside=inside, is_data=True)


def _mounted_folder(mount: Mount, text: str) -> NamedSetting | None:
    """A mounted folder whose contents the line objects to."""
    if not _CONTENTS.search(text.lower()):
        return None
    return NamedSetting(folder=mount.source, path_inside=mount.destination, is_data=True)


def of_command(container: Container, text: str) -> NamedSetting | None:
    """The one file that the command names and that is mounted, for complaints about a setting."""
    number = _ANY_LINE_NUMBER.search(text)
    if number is None and not _ABOUT_SETTINGS.search(text.lower()):
        return None
    paths = (word.rpartition("=")[2] for word in container.config.words[1:])
    mounted = {path: named_path(container, path) for path in paths if path.startswith("/")}
    files = [
        place
        for path, place in mounted.items()
        if place is not None and place.path_inside == path and place.mount.has_host_path
    ]
    if len(files) != 1 or ".." in files[0].rest:
        return None
    line = int(number[1]) if number else 0
    return NamedSetting(path=files[0].on_host[-1], path_inside=files[0].path_inside, line=line)


def repeated_folder(container: Container, text: str) -> NamedSetting | None:
    """The mounted folder of which the line repeats a name: provisioning, datasources.

    Names of the program itself, which are in the image's name, say nothing, and programs have no
    settings in them.
    """
    lowered = text.lower()
    own_words = f"{container.name} {container.config.image}".lower()
    repeated = {
        mount.destination: mount.source
        for mount in container.bind_mounts
        if _has_telling_part(mount, own_words, lowered)
    }
    if len(repeated) != 1:
        return None
    ((inside, folder),) = repeated.items()
    if _looks_like_file(inside):
        return NamedSetting(path=folder, path_inside=inside)
    return NamedSetting(folder=folder, path_inside=inside)


def _has_telling_part(mount: Mount, own_words: str, line: str) -> bool:
    """Whether a line in small letters repeats a name of a mount's path.

    own_words: the names of the program itself.
    """
    if _OF_PROGRAMS.match(mount.destination):
        return False
    return any(part in line for part in _telling_parts(mount, own_words))


def _looks_like_file(path: str) -> bool:
    """Whether a name is that of a file: with an ending, or as Caddyfile and Gemfile are written."""
    name = posixpath.basename(path)
    return "." in name or name[:1].isupper()


def _telling_parts(mount: Mount, own_words: str) -> list[str]:
    parts = (part.lower().rstrip("s") for part in mount.destination.split("/"))
    return [
        part
        for part in parts
        if len(part) >= _LEAST_PART and part not in own_words and part not in _PLACES
    ]


def only_file(container: Container, text: str) -> NamedSetting | None:
    """The one file of settings that is mounted, for a complaint about settings."""
    if not _ABOUT_SETTINGS.search(text.lower()):
        return None
    files = [mount for mount in container.mounts if _FILE_OF_SETTINGS.search(mount.source)]
    if len(files) != 1 or files[0].type != "bind":
        return None
    number = _ANY_LINE_NUMBER.search(text)
    line = int(number[1]) if number else 0
    return NamedSetting(path=files[0].source, path_inside=files[0].destination, line=line)
