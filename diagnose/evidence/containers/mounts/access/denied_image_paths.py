"""Paths in images to which a program was denied access, and the setting that names them. Pure."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.containers.programs.refused_programs import REFUSED
from diagnose.evidence.images.details import Detail
from diagnose.lazy_pattern import LazyPattern

_DENIED = ("permission denied", "eacces", "accessdenied")
_PATH = LazyPattern(r"(?<![\w./])/[\w.@+-]+(?:/[\w.@+-]+)*")
_QUOTED_PATH = LazyPattern(r"['\"](/[^'\"\n]{1,300})['\"]")
"""It may have a blank in it."""
_OF_THE_KERNEL = ("/proc", "/sys", "/dev")


class DeniedImagePath(msgspec.Struct, frozen=True):
    """A path that no mount holds, and the log line that reports the denial."""

    path: str
    line: str


def denied_image_path(container: Container, tail: LogTail) -> DeniedImagePath | None:
    """The first path of the image to which a line of the log says that access was denied."""
    for line in tail.find_all(*_DENIED):
        paths = _QUOTED_PATH.findall(line) or _PATH.findall(line)
        if not paths or REFUSED.search(line) or named_path(container, line) is not None:
            continue
        path = paths[-1]
        if not path.startswith(_OF_THE_KERNEL):
            return DeniedImagePath(path, line)
    return None


def asked_for_by(container: Container, image: Detail, path: str) -> str:
    """The variable, option or command that names this very path, other than by the image; or ""."""
    for name, value in container.config.environment:
        if value.rstrip("/") == path and f"{name}={value}" not in image.env:
            return f"its variable {name}"
    own_words = image.config.cmd if image.config is not None else None
    words = container.config.cmd or ()
    if words == own_words:
        return ""
    before = ""
    for word in words:
        option, _, value = word.partition("=")
        if path in (word.rstrip("/"), value.rstrip("/")):
            option = option if value else before
            return f"its option {option}" if option.startswith("-") else "its command"
        before = word
    return ""


def is_same_user(other_user: str, own_user: str) -> bool:
    """Whether two settings name one user; a group behind it does not count, and root is 0 too."""
    users = [(name.partition(":")[0] or "root") for name in (other_user, own_user)]
    return len({"root" if user == "0" else user for user in users}) == 1
