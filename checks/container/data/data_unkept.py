"""container.data-unkept: data in a place that the container loses."""

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.data.unkept_data import UnkeptData, UnkeptDataList
from diagnose.evidence.containers.mounts.data.unkept_state import UnkeptState, UnkeptStates
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.phrases import count
from diagnose.registry import check

_LOST = {
    "layer": "its writable layer: it is lost when the container is recreated, as every update does",
    "memory": "memory: it is lost whenever the container stops",
    "temporary": "{source} of the host, which is emptied at each boot",
}
_SPECIAL = LazyPattern(r"[^a-z0-9]+")


@check(
    "container.data-unkept",
    severity=Severity.advice,
    aloud=("keeps data where it is lost", "keep data where it is lost"),
)
def data_unkept(unkept_data: UnkeptDataList, unkept_states: UnkeptStates | None) -> CheckResult:
    """A container keeps data where a recreate, a restart or a boot removes it.

    The container is started again by itself, as a service is. It has no mount for data, and a file
    of a database with 64 KiB or more in its writable layer; or it has such a file in a tmpfs, or in
    a folder of the host below /tmp or /run. Of a program with a published port small files count
    too, by their kind: accounts or a database in a folder that is called data, store or config, or
    two files of settings. Mails that wait in the queue of Postfix or Exim, crontabs
    that were edited in a running container, and certificates of certbot count too.
    """
    for state in unkept_states or ():
        yield _state_finding(state)
    for data in unkept_data:
        place = _LOST[data.kind].format(source=data.source)
        contents = f"{data.source or 'tmpfs'}, with {data.file}"
        if data.kind == "layer":
            contents = f"{data.file}, and no volume or folder is mounted there"
        yield Finding.about(
            data.container,
            f"{data.container} keeps {data.folder}/{data.file} in {place}",
            {data.folder: contents},
            discriminator=data.folder,
            recheck=(data.container.run,),
            variables=_steps(data),
        )


def _state_finding(state: UnkeptState) -> Finding:
    container = state.container
    folder = state.place.folder
    return Finding.about(
        container,
        f"{container} keeps {count(state.number, state.place.noun)} below {folder} in {_LOST['layer']}",
        {state.where: f"{count(state.number, state.place.noun)}, and no volume is mounted there"},
        discriminator=folder,
        recheck=(container.run,),
        variables=_volume_steps(container, folder),
    )


def _volume_steps(container: Container, folder: str) -> PageVariables:
    """The page variables of a new volume for a folder of a container, and of the folder that is
    copied into it."""
    name = _SPECIAL.sub("-", f"{container.name}-{folder.rpartition('/')[2]}".lower())
    volume = name.strip("-")
    written = f"{container.name}:{folder}/."
    return {"volume": volume, "placed": f"{volume}:{folder}", "written": written}


def _steps(data: UnkeptData) -> PageVariables:
    """The page variables of a new volume, and of the copy of the data into it."""
    if data.kind == "memory":
        return {}
    steps = _volume_steps(data.container, data.folder)
    if data.kind == "layer":
        return steps
    chosen_steps = {"volume": steps["volume"], "placed": steps["placed"]}
    return chosen_steps | {"temporary": f"{data.source}/.", "destination": data.folder}
