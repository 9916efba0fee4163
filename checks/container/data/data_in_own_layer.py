"""container.data-in-own-layer: data goes into the container, and the mount for it stays unused."""

import posixpath
import string
from collections.abc import Sequence

from diagnose.evidence.containers.compose.mounts_among_variables import MountsAmongVariables
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.mounts.data.moved_data import MovedData, MovedDataList
from diagnose.evidence.containers.mounts.data.own_layer_data import OwnLayerData, OwnLayerDataList
from diagnose.evidence.containers.mounts.data.replaced_lists import ReplacedList, ReplacedLists
from diagnose.evidence.containers.mounts.data.stray_files import StrayFile, StrayFiles
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import and_more, size
from diagnose.registry import check

_STRAY = string.whitespace + "\"'`,;\\"
"""Characters that no path ends with: a blank, a quote or a comma of the file in which the path was
written."""
NAMES_SHOWN = 4


@check(
    "container.data-in-own-layer",
    severity=Severity.warning,
    aloud=("keeps data in its writable layer", "keep data in their writable layers"),
)
def data_in_own_layer(
    containers: Containers,
    own_layer_data: OwnLayerDataList,
    replaced_lists: ReplacedLists | None,
    stray_files: StrayFiles | None,
    mounts_among_variables: MountsAmongVariables | None,
    moved_data: MovedDataList | None,
) -> CheckResult:
    """A container keeps its data in its writable layer, and its mount is unused.

    The program writes into a folder that is not a mount: a newer image keeps its data elsewhere, or
    the mount's path has a blank or a quote at its end. The files there are lost when the container
    is recreated, as by each update.

    A folder counts that is called like a mount of the container, is written to since the container
    was made, and holds 64 KiB or more, while nothing was added to the top of the mount. A program's
    folder in a home (`~/.local/share`) counts too, where the program does not know the folder of an
    empty mount called `data`. The folder that is the source of an empty mount also counts: its two
    paths were swapped, where the host has the other one. A service that merges a YAML anchor (`<<`)
    and has a list `volumes` of its own loses those of the anchor: it counts where it has files in
    such a folder, and another container of the project has the volume there. A file counts that the
    command or a variable names for what the program keeps, where an empty file of its name is
    mounted elsewhere; beside an empty folder it is advice.

    It is advice where the only mount for data is empty, and one folder of another name has nearly
    all that was written, 256 KiB or more. Folders for logs, caches, media and static files are left
    out. The mounts of the youngest containers are looked at, 40 at most.

    A folder counts too, however small, that has the entries of a mount beside it or inside it, with
    another size, while the mount has had no change since the container was made: a newer release
    looks for its files elsewhere, and has made new ones.

    Where further empty mounts are meant for folders of the home, the cure brings both: small
    settings are lost as easily as data. Lines of `environment` in the compose file that look like
    mounts are shown: no program gets a variable by them.
    """
    for container in containers:
        for mount in container.mounts:
            if mount.destination.endswith(tuple(_STRAY)):
                yield _misspelt_finding(container, mount)
    among = mounts_among_variables or MountsAmongVariables()
    for data in own_layer_data:
        yield _finding(data, among.of(data.container) or ())
    for replaced in replaced_lists or ():
        yield _replaced_finding(replaced)
    reported_ids = {data.container.id for data in own_layer_data}
    for moved in moved_data or ():
        if moved.container.id not in reported_ids:
            yield _moved_finding(moved)
    for stray in stray_files or ():
        if stray.container.id not in reported_ids:
            yield _stray_file_finding(stray)


def _moved_finding(moved: MovedData) -> Finding:
    """The finding about a program that made new files beside the mount with its data."""
    container = moved.container
    mount = moved.mount
    names = and_more(moved.names, NAMES_SHOWN)
    return Finding.about(
        container,
        f"{container} started from the beginning in {moved.folder}, which is not mounted: {mount.place}, mounted at "
        f"{mount.destination}, has older files of the same names",
        {
            f"{moved.folder} in its writable layer": names,
            f"unchanged at {mount.destination}": names,
            "mount": f"{mount.name or mount.source} -> {mount.destination}",
        },
        discriminator=mount.destination,
        recheck=(container.run,),
        touches=mount.volumes,
        variables={
            "folder": moved.folder,
            "former": mount.destination,
            "meant": f"{mount.name or mount.source}:{moved.folder}",
        },
    )


def _stray_file_finding(stray: StrayFile) -> Finding:
    container = stray.container
    mount = stray.mount
    finding = Finding.about(
        container,
        f"{container} writes {stray.path} into its writable layer, where it is lost when it is "
        f"recreated: {mount.place}, mounted at {mount.destination}, is empty",
        {
            f"named by {stray.setting}": stray.path,
            f"{stray.path} in its writable layer, bytes": stray.size,
            "mount": f"{mount.name or mount.source} -> {mount.destination}",
        },
        severity=Severity.warning if stray.is_file_mounted else Severity.advice,
        discriminator=stray.path,
        recheck=(container.run,),
        touches=mount.volumes,
        variables={"folder": stray.path},
    )
    if not stray.is_file_mounted:
        target = posixpath.join(mount.destination, posixpath.basename(stray.path))
        return finding.with_variables({"named": stray.setting, "target": target})
    return finding.with_variables(
        {
            "meant": f"{mount.source}:{stray.path}",
            "written": f"{container.name}:{stray.path}",
            "store": mount.source,
        }
    )


def _replaced_finding(replaced: ReplacedList) -> Finding:
    """The finding about a list of volumes that replaces the anchor's."""
    container = replaced.container
    rule = "YAML merges mappings under <<, but not lists"
    rule_evidence = {replaced.path: rule} if replaced.path else {}
    return Finding.about(
        container,
        f"{container} writes to {replaced.folder} in its writable layer, where {replaced.neighbour} has "
        f'"{replaced.volume}": its service has a list `volumes`, which replaces that of the anchor '
        "that it merges",
        {
            f"{replaced.folder} in its writable layer": and_more(replaced.entries),
            f"mounted in {replaced.neighbour.name}": f"{replaced.volume} -> {replaced.folder}",
            **rule_evidence,
        },
        discriminator=replaced.folder,
        recheck=(container.run,),
        variables={"folder": replaced.folder, "meant": f"{replaced.volume}:{replaced.folder}"},
    )


def _misspelt_finding(container: Container, mount: Mount) -> Finding:
    meant_path = mount.destination.rstrip(_STRAY).removesuffix(":ro").removesuffix(":rw")
    stray = mount.destination[len(meant_path) :]
    mistake = "a blank" if stray.isspace() else f"a stray {stray.strip()}"
    return Finding.about(
        container,
        f"{container} has {mount.place} mounted at {_quoted_path(mount.destination)}, with {mistake} at "
        f"its end: what it writes to {meant_path} does not go there",
        {
            "mount": f"{mount.name or mount.source} -> {_quoted_path(mount.destination)}",
            **_mounted_where_meant(container, meant_path),
        },
        discriminator=mount.destination,
        recheck=(container.run,),
        touches=mount.volumes,
        variables={
            "folder": meant_path,
            "misspelt": mount.destination,
            "meant": f"{mount.name or mount.source}:{meant_path}",
        },
    )


def _quoted_path(path: str) -> str:
    """The path in quotes, so that a blank or a comma at its end is seen."""
    return f"'{path}'" if '"' in path else f'"{path}"'


def _mounted_where_meant(container: Container, meant_path: str) -> dict[str, str]:
    """The volume or the folder that is mounted at the intended path, as evidence; empty for
    none."""
    mount_there = container.mount_at(meant_path)
    if mount_there is None:
        return {}
    return {f"mounted at {meant_path}": mount_there.name or mount_there.source}


def _finding(data: OwnLayerData, mislaid: Sequence[str]) -> Finding:
    """mislaid: the lines of `environment` that look like mounts."""
    container = data.container
    mount = data.mount
    lack = (
        "is empty" if data.is_empty else ("has had nothing added since this container was created")
    )
    if data.is_swapped:
        lack += ": the two paths of the mount are swapped"
    further = {
        f"{other.folder} in its writable layer": f"{other.mount.place} at {other.mount.destination} is empty"
        for other in data.further
    }
    finding = Finding.about(
        container,
        f"{container} keeps {size(data.bytes)} in {data.folder}, which is not mounted and is lost "
        f"when it is recreated: {mount.place}, mounted at {mount.destination}, {lack}",
        {
            f"{data.folder} in its writable layer, bytes": data.bytes,
            "mount": f"{mount.name or mount.source} -> {mount.destination}",
            **further,
            **{
                f"environment: {line}": "is not a variable, and compose drops it"
                for line in mislaid
            },
        },
        severity=Severity.advice if data.is_guess else None,
        discriminator=mount.destination,
        recheck=(container.run,),
        touches=mount.volumes,
        variables={"folder": data.folder, "meant": f"{data.store}:{data.folder}"},
    )
    if not data.is_empty:
        return finding
    written = f"{container.name}:{data.folder}/."
    finding = finding.with_variables({"written": written, "store": data.store_folder})
    return finding.with_variables(_further_steps(data))


def _further_steps(data: OwnLayerData) -> PageVariables:
    """The second folder that a new container would lack; empty where there is no second one."""
    if not data.further:
        return {}
    further_data = data.further[0]
    return {
        "also_written": f"{data.container.name}:{further_data.folder}/.",
        "also_store": further_data.mount.source,
        "also_meant": f"{further_data.mount.name or further_data.mount.source}:{further_data.folder}",
    }
