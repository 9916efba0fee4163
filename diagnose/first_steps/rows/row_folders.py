"""Remedies of known failures that change files, folders, mounts or the container as a whole."""

import posixpath
import re

from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.first_steps.rows.row_case import RowCase, steps
from diagnose.first_steps.rows.unlocked_database import unlocking_variables
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only, present
from diagnose.model import PageVariables
from diagnose.programs.failures import remedies

_USER = LazyPattern(r"[a-z_][a-z0-9_-]{0,31}")
_OF_SETTINGS = LazyPattern(
    r"(?:^|/)(?:config|settings)[^/]*(?:/|$)|\.(?:conf|ini|json|toml|xml|ya?ml)$", re.IGNORECASE
)
"""Places of a program's own settings."""
_NUMBERS = LazyPattern(r"(?P<uid>[1-9]\d{0,9})(?::(?P<gid>\d{1,10}))?")


@steps.register(remedies.UnixLineEnds)
def _end_lines_as_unix(remedy: remedies.UnixLineEnds, case: RowCase) -> PageVariables:
    named = case.failure.filled(remedy.script)
    script = named if named.startswith("/") else case.container.path
    place = named_path(case.container, script) if script.startswith("/") else None
    if place is None or place.path_inside != script or not place.mount.has_host_path:
        return {}
    return {"edit": r"s/\r$//", "edited": place.on_host[-1]}


@steps.register(remedies.NodeName)
def _rename_node(remedy: remedies.NodeName, case: RowCase) -> PageVariables:
    mount = case.mount_at(*remedy.folders)
    if mount is None or not mount.has_host_path:
        return {}
    own_name = case.container.config.hostname or case.container.id[:12]
    return {"nodes": f"{mount.source}/mnesia", "own_name": own_name}


@steps.register(remedies.SetAside)
def _set_aside(remedy: remedies.SetAside, case: RowCase) -> PageVariables:
    for folder in remedy.folders:
        mount = case.mount_at(folder)
        if mount is not None and mount.has_host_path:
            return {"aside": f"{mount.source}/{remedy.file}"}
    return {}


@steps.register(remedies.Job)
def _run_job(remedy: remedies.Job, case: RowCase) -> PageVariables:
    """The page variables of a command in a container of its own, in the first of the folders that a
    mount covers."""
    config = case.container.config
    folders = [folder or config.working_dir for folder in remedy.folders]
    folder = next((folder for folder in folders if folder and _covers(case, folder)), "")
    if not folder:
        return {}
    return {
        "job_command": case.failure.filled_for_shell(remedy.command),
        "job_folder": folder,
        "job_image": remedy.image or config.image,
        "job_user": remedy.user or config.user or "0",
    }


def _covers(case: RowCase, folder: str) -> bool:
    """Whether a folder is in a mount and can be written."""
    return any(mount.rw and mount.holds(f"{folder}/") for mount in case.container.mounts)


@steps.register(remedies.AddedUser)
def _add_user(remedy: remedies.AddedUser, case: RowCase) -> PageVariables:
    user = case.failure.filled(remedy.user)
    is_name = _USER.fullmatch(user) is not None
    return {"unknown_user": user} if is_name and _may_add_users(case) else {}


@steps.register(remedies.NamedNumber)
def _name_number(_remedy: remedies.NamedNumber, case: RowCase) -> PageVariables:
    """The page variables that give the number of a user a name.

    Empty where its user is given by a name: a program inside has changed to the number.
    """
    user = _NUMBERS.fullmatch(case.container.config.user)
    if user is None or not _may_add_users(case):
        return {}
    return {"nameless": f"{user['uid']}:{user['gid'] or '0'}"}


def _may_add_users(case: RowCase) -> bool:
    """Whether the files of users can be changed in the container."""
    is_fixed = case.container.host_config.readonly_rootfs
    return not is_fixed and case.mount_at("/etc", "/etc/passwd") is None


@steps.register(remedies.FreshContainer)
def _renew_container(remedy: remedies.FreshContainer, case: RowCase) -> PageVariables:
    """The page variable of a new container. Empty where the files of the first start are in a
    mount: a new container has them too."""
    left_name = case.failure.values.get("name", "")
    if remedy.of_working_folder:
        left_name = case.container.config.working_dir
    if any(
        mount.holds(left_name) or mount.destination == left_name for mount in case.container.mounts
    ):
        return {}
    return {"fresh": case.container.name}


@steps.register(remedies.NewVolume)
def _mount_new_volume(remedy: remedies.NewVolume, case: RowCase) -> PageVariables:
    mount = case.mount_at(*remedy.folders)
    if mount is None:
        return {}
    at = mount.destination
    return {"emptied": at, "new_volume": f"{case.container.name}-new:{at}"}


@steps.register(remedies.NamedVolume)
def _name_volume(_remedy: remedies.NamedVolume, case: RowCase) -> PageVariables:
    """The page variable of a named volume, at the folder that the image calls a volume."""
    anonymous = only([mount for mount in case.container.mounts if mount.is_anonymous])
    if anonymous is None:
        return {}
    return {"named_volume": f"{case.container.name}-data:{anonymous.destination}"}


@steps.register(remedies.Uncovered)
def _uncover_folder(remedy: remedies.Uncovered, case: RowCase) -> PageVariables:
    folders = (case.failure.filled(folder) for folder in remedy.folders)
    covered = (folder for folder in folders if case.mount_at(folder) is not None)
    return present({"covering": next(covered, "")})


@steps.register(remedies.MadeWritable)
def _make_writable(_remedy: remedies.MadeWritable, case: RowCase) -> PageVariables:
    fixed = [mount for mount in case.container.mounts if not mount.rw]
    if (named := named_path(case.container, case.failure.line)) is not None:
        fixed = [mount for mount in fixed if mount == named.mount]
    mount = only([mount for mount in fixed if _OF_SETTINGS.search(mount.destination)])
    if mount is None:
        return {}
    source = mount.name if mount.type == "volume" and mount.name else mount.source
    return {"read_only": mount.destination, "writable": f"{source}:{mount.destination}"}


@steps.register(remedies.WholeFolder)
def _mount_whole_folder(remedy: remedies.WholeFolder, case: RowCase) -> PageVariables:
    mount = case.mount_at(remedy.folder)
    last = posixpath.basename(remedy.folder)
    if mount is None or mount.type != "bind" or posixpath.basename(mount.source) != last:
        return {}
    if not case.failure.values.get("path", "").startswith(f"{remedy.folder}/"):
        return {}
    above, source = (posixpath.dirname(path) for path in (mount.destination, mount.source))
    if "/" in (above, source):
        return {}
    return {"unmounted": mount.destination, "mounted": f"{source}:{above}:ro"}


@steps.register(remedies.OwnFolder)
def _keep_own_folder(remedy: remedies.OwnFolder, case: RowCase) -> PageVariables:
    """The page variables that keep the image's own folder visible.

    A module that the line names by a path is the application's own: no image contains that.
    """
    folder = case.container.config.working_dir
    if case.failure.values.get("module", "/")[0] in "./" or case.mount_at(folder) is None:
        return {}
    own_folder = f"{folder.rstrip('/')}/{remedy.name}"
    return (
        {"added": f"--volume={own_folder}"} if folder and case.mount_at(own_folder) is None else {}
    )


@steps.register(remedies.Unlocked)
def _unlock_database(remedy: remedies.Unlocked, case: RowCase) -> PageVariables:
    return unlocking_variables(remedy.statement, case.container, case.failure, case.containers)


@steps.register(remedies.Inside)
def _change_inside(remedy: remedies.Inside, case: RowCase) -> PageVariables:
    """The page variables of a command in the running container.

    Empty for a web server that repeats a line of the program behind it.
    """
    if "FastCGI sent in stderr" in case.failure.line:
        return {}
    most = case.failure.values.get("most", "")
    more = max(2 * int(most), remedy.least) if most.isdigit() else remedy.least
    return {"inside_change": remedy.command.replace("{more}", str(more))}
