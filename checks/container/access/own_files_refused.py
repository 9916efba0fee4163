"""container.own-files-refused: a container's user may not use files of its own image."""

import posixpath
from collections.abc import Iterator

from checks.container.claims import is_broken
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.access.closed_image_paths import (
    ClosedImagePath,
    ClosedImagePaths,
)
from diagnose.evidence.containers.mounts.access.denied_image_paths import (
    asked_for_by,
    denied_image_path,
    is_same_user,
)
from diagnose.evidence.containers.mounts.access.image_places import ImagePlace, ImagePlaces
from diagnose.evidence.containers.programs.lost_files import LostFiles
from diagnose.evidence.containers.run_evidence import LINE
from diagnose.evidence.images.details import Detail, ImageDetails
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, Json, PageVariables, Severity
from diagnose.phrases import quoted
from diagnose.programs.exit_codes import CANNOT_EXECUTE
from diagnose.registry import check

_MAKES_A_FOLDER = ("mkdir", "createdirector", "create directory", "makedirs", "create folder")
"""Errors of programs that make a folder, in small letters; those of Java are in its stack."""
_SUFFIX = LazyPattern(r"\.\w{1,5}$")


@check("container.own-files-refused", severity=Severity.critical)
def own_files_refused(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    image_details: ImageDetails,
    image_places: ImagePlaces | None,
    lost_files: LostFiles | None,
    closed_image_paths: ClosedImagePaths | None,
) -> CheckResult:
    """A container's user has no access to files of its own image.

    The log of a failed container says that access to a path was denied, and no mount holds that
    path: it is the image's own. The container was given another user (`--user`, `user:`) than the
    image's, and the files belong to the image's user or to root. A container with its image's own
    user is not reported, unless its own command or a variable names that path: there the image is
    at fault, or the program asks for what it may not have. A path without a slash before it is
    looked up from the working directory of the image, and its owner and mode decide. Changes in the
    container itself are another matter.
    """
    places = {place.container.id: place for place in image_places or ()}
    closed = {path.container.id: path for path in closed_image_paths or ()}
    for container in containers:
        image = image_details.by_id.get(container.image)
        if image is None or (lost_files is not None and lost_files.holds(container)):
            continue
        if container.id in closed and is_broken(container, clock, log_tails):
            yield _closed_finding(closed[container.id], log_tails.of(container), _user_of(image))
            continue
        if not _fails_as_a_user(container, clock, log_tails):
            continue
        tail = log_tails.of(container)
        if container.id in places:
            yield _place_finding(places[container.id], tail, _user_of(image))
        else:
            yield from _denied_findings(container, image, tail)


def _closed_finding(closed: ClosedImagePath, tail: LogTail, built_for: str) -> Finding:
    """The finding about a folder or file that the build of the image has left to root alone."""
    container = closed.container
    kind = "folder" if closed.is_folder else "file"
    place = f"{kind} {closed.path} of its image"
    if closed.path != closed.asked:
        place = f"{place}, on the way to {closed.asked}"
    is_top = closed.path.count("/") == 1
    return Finding.about(
        container,
        f"{container} fails because only root may use {place}: root owns it, with mode {closed.mode}",
        {
            LINE: quoted(closed.line),
            f"owner and mode of {closed.path}": f"0:0 {closed.mode}",
            "Config.User": container.config.user or "root (none is set)",
        },
        signs=tail.signs,
        onset=container.failed_first,
        variables={
            "image": container.config.image,
            "built_for": built_for or "root",
            "mended": container.mended_image,
            "closed_top" if is_top else "closed_tree": closed.path,
        },
    )


def _fails_as_a_user(container: Container, clock: Clock, log_tails: LogTails) -> bool:
    """Whether a container of another user than root fails, although its program could start."""
    is_user = not is_same_user(container.config.user, "root")
    is_started = container.state.exit_code != CANNOT_EXECUTE
    return is_user and is_started and is_broken(container, clock, log_tails)


def _user_of(image: Detail) -> str:
    """The user of the image's configuration; "" if it has none."""
    return image.config.user if image.config else ""


def _denied_findings(container: Container, image: Detail, tail: LogTail) -> Iterator[Finding]:
    """Findings about a path in the image that the log says is closed to a user who is not the
    image's own.

    Or about one that the container's own settings name.
    """
    image_user = _user_of(image)
    configured = container.config.user
    denied = denied_image_path(container, tail)
    if denied is None:
        return
    place = asked_for_by(container, image, denied.path)
    if is_same_user(configured, image_user) and not place:
        return
    cure = _own_volume(container, denied.path, tail) if place else {"overridden": "user"}
    yield Finding.about(
        container,
        f"{container} may not use {denied.path}, {_refusal_clause(configured, image_user, place)}",
        _evidence(container, denied.line, image_user),
        signs=tail.signs,
        onset=container.failed_first,
        variables=cure,
    )


def _evidence(container: Container, line: str, image_user: str) -> dict[str, Json]:
    """The line, and both users: the container's and the image's.

    image_user: the user of the image.
    """
    return {
        LINE: quoted(line),
        "Config.User": container.config.user,
        "the image's user": image_user or "root (none is set)",
    }


def _place_finding(place: ImagePlace, tail: LogTail, image_user: str) -> Finding:
    """The finding about a relative path that the program names, below its working directory in the
    image."""
    container = place.container
    user = place.container.config.user
    if place.is_folder:
        denied = f"create {place.name} in {place.place}, a folder"
    else:
        denied = f"use {place.place}, a file"
    finding = Finding.about(
        container,
        f"{container} may not {denied} of its own image: it runs as user {user}, "
        f"and {place.place} belongs to {place.owner} with mode {place.mode}",
        {
            **_evidence(container, place.line, image_user),
            f"owner and mode of {place.place}": f"{place.owner} {place.mode}",
        },
        signs=tail.signs,
        onset=container.failed_first,
    )
    if not is_same_user(user, image_user):
        return finding.with_variables({"overridden": "user"})
    name = posixpath.basename(place.place)
    if not place.is_folder or not name:
        return finding
    return finding.with_variables(
        {
            "worked": f"{container.name}-{name.lstrip('.')}:{place.place}",
            "wanted": place.place,
            "image": container.config.image,
            "user": user,
        }
    )


def _refusal_clause(user: str, image_user: str, place: str) -> str:
    """The end of a sentence that names the file and the user that a program was refused as.

    user, image_user: the container's user and the image's. place: the setting or line that names
    the path, "" for none.
    """
    if place:
        return f"a path that {place} names and that is in no mount: it runs as user {user}"
    planned = f'user "{image_user}"' if image_user else "root"
    return f"a file of its own image: it runs as user {user}, but the image is made for {planned}"


def _own_volume(container: Container, path: str, tail: LogTail) -> PageVariables:
    """The page variables that mount a new volume at a path where the program makes a folder.

    Empty where the program may want a file there.
    """
    name = posixpath.basename(path)
    if not tail.find(*_MAKES_A_FOLDER) or _SUFFIX.search(name):
        return {}
    volume = f"{container.name}-{name.lstrip('.')}"
    return {
        "wanted": path,
        "bound": f"{volume}:{path}",
        "image": container.config.image,
        "user": container.config.user,
    }
