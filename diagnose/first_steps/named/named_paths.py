"""First steps where a line names a path that the program was refused, misses or finds full."""

import posixpath
import re

from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import host_mount, innermost_mount
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import DEEPEST, named_files
from diagnose.first_steps.named.named_programs import sought_name
from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only
from diagnose.model import PageVariables

_REFUSED = LazyPattern(
    r"permission denied|insufficient permissions|not accessible for user"
    r"|operation not permitted|\bEACCES\b|\bEPERM\b|PermissionError|AccessDenied"
    r"|access (?:to the path )?.{0,80}denied|not writ[ae]ble|cannot write|for writing"
    r"|(?:unable to|failed to|cannot|can't|could not) create (?:the )?(?:\w+ )?(?:directory|file|folder)"
    r"|write access is required|are too open|Failed asserting that (?:mode|owner)"
    r"|wrong ownership|has invalid permissions|readonly database|unable to open (?:the )?database file",
    re.IGNORECASE,
)
"""The program may not open, write or make the file, or its mode is too open."""
_MISSED = LazyPattern(
    r"no such file|\bENOENT\b|does(?: not|n't) exist|not found|cannot find|can't find"
    r"|can't find command|failed opening required|\bfound\b.{0,80}\(expected /"
    r"|is a directory|\bEISDIR\b|not a directory|symbolic links|not a regular file",
    re.IGNORECASE,
)
"""The file is not there, or is a folder where a file is due."""
_IS_FOLDER = LazyPattern(r"\bis a directory|\bEISDIR\b", re.IGNORECASE)
_VERSION_OF_LIBRARY = LazyPattern(r"\bversion [`']\w{2,30}[\d.]{1,12}' not found")
"""The loader's words: the file is there, and the library is too old."""
_DATABASE = LazyPattern(r"readonly database|database file", re.IGNORECASE)
_OF_A_FILE = LazyPattern(
    r"\b(?:file|dir(?:ectory)?|folder|writ\w{1,3}|open\w{0,3}|creat\w{1,3}|sav\w{1,3}|DB)\b"
    r".{0,80}(?:permission denied|EACCES)",
    re.IGNORECASE,
)
"""The refusal is about a file, and not about a host or a user."""
_OF_SOMETHING_ELSE = LazyPattern(
    r"\broot\b|\bbind\b|\blisten|\bsocket|\bconnect|\bexec\b|/", re.IGNORECASE
)
_PATH = LazyPattern(
    r"""
    (?<![\w.:/+-])/(?:
          app | config | conf | data | docker-entrypoint\.d | etc | home | lib64 | lib
        | media | mnt | opt | root | run | srv | storage | tmp | usr | var | workspace
        | www
      )(?:/[\w.@+-]{1,100}){1,20}
    """,
    re.VERBOSE,
)
"""A path of a container: what begins with another folder may be that of a page."""
_WRITTEN = LazyPattern(r"(?<![\w.:/+-])(?P<path>(?:/[\w.@+-]{1,100}){1,20})(?!\S*: line \d)")
"""The path that a line about missing room names: any path, but for the script that prints the line.
"""
_LOCATION = LazyPattern(r":\d+(?::\d+)?(?:[:)]|$)|, line \d|\(\d+\)")
"""Behind a file that was read: a place in it."""
_INTERPRETERS = LazyPattern(r"/(?:usr/)?(?:local/)?s?bin/\w+$")


def path_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the path that a line of this container names.

    Nothing where the line does not complain of it, or names none.
    """
    text = in_english(text)
    is_full = "no-space" in signs(text)
    is_refused = _REFUSED.search(text) is not None
    if _VERSION_OF_LIBRARY.search(text):
        return {}
    if not (is_full or is_refused or _MISSED.search(text)):
        return {}
    path = _path_in(container, text)
    if is_full:
        written = _WRITTEN.search(text)
        return _full_place(container, path or (written["path"] if written is not None else ""))
    if not path and _is_data(text):
        path = _only_writable_place(container)
    if not path:
        return {}
    return _refused_place(container, path) if is_refused else _missed_place(container, path, text)


def _path_in(container: Container, text: str) -> str:
    """The path of the container that the line complains of; "" where it names none."""
    place = next(named_files(container, text), None)
    if place is not None and place.rest and ".." not in place.rest:
        return place.path_inside if len(place.rest) <= DEEPEST else ""
    for match in _PATH.finditer(text):
        path = match[0].rstrip(".")
        is_code = _LOCATION.match(text[match.end() :]) or _INTERPRETERS.match(path)
        if not is_code and path not in container.config.words and ".." not in path.split("/"):
            return path
    return place.path_inside if place is not None and not place.rest else ""


def _is_data(text: str) -> bool:
    """Whether a line complains of a file of the program's data, and names no folder."""
    is_refused = _OF_A_FILE.search(text) is not None and not _OF_SOMETHING_ELSE.search(text)
    return is_refused or _DATABASE.search(text) is not None


def _only_writable_place(container: Container) -> str:
    """The folder of the container's only writable mount, which has its data; "" where it has
    several."""
    places = [mount.destination for mount in container.mounts if mount.rw and mount.has_host_path]
    return only(places) or ""


def _refused_place(container: Container, path: str) -> PageVariables:
    """The page variables that show owner and mode of the path and of the folders above it."""
    folder, name = posixpath.split(path)
    mount = host_mount(container.mounts, path)
    if mount is not None:
        refused = mount.on_host(path)
        below = {"refused_below": posixpath.dirname(refused)}
        if container.config.starts_as_root:
            return {"refused_to_root": refused, **below}
        return {"refused": refused, "run_as": container.config.user, **below}
    if innermost_mount(container.mounts, path) is not None or _is_of_kernel(path):
        return {}
    return {
        "refused_inside": f"{container.name}:{folder}",
        "refused_name": f"{posixpath.basename(folder)}/{name}",
        "run_as": container.config.user or "root",
    }


def _missed_place(container: Container, path: str, text: str) -> PageVariables:
    """The page variables of the folder of the host where the file belongs, or of files of that name
    in the container.

    Empty for a folder of the image, which is there.
    """
    mount = host_mount(container.mounts, path)
    if mount is None and _IS_FOLDER.search(text):
        return {}
    if mount is not None:
        return {"lacking": posixpath.dirname(mount.on_host(path)), "lacked": path}
    if innermost_mount(container.mounts, path) is not None or _is_of_kernel(path):
        return {}
    name = sought_name(posixpath.basename(path))
    return {"searched": container.name, "sought_file": f"(^|/){name}/?$"}


def _full_place(container: Container, path: str) -> PageVariables:
    """The page variables of the file system on which the program writes: of the host, or as the
    container sees it."""
    mount = host_mount(container.mounts, path) if path else None
    if mount is not None:
        return {"room": mount.source}
    if not container.is_running:
        return {}
    return {"filling": container.name, "filled": f".{posixpath.dirname(path)}"}


def _is_of_kernel(path: str) -> bool:
    return path.startswith(("/proc/", "/sys/", "/dev/"))
