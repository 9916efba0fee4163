"""container.data-unkept: a database in a place that the container loses."""

from diagnose.evidence.containers.mounts.data.unkept_data import UnkeptData, UnkeptDataList
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check

_LOST = {
    "layer": "its own layer: it is lost when the container is recreated, as by each update",
    "memory": "memory: it is lost whenever the container stops",
    "temporary": "{source} of the host, which is emptied at a boot",
}
_SPECIAL = LazyPattern(r"[^a-z0-9]+")


@check(
    "container.data-unkept",
    severity=Severity.advice,
    aloud=("keeps a database where it is lost", "keep databases where they are lost"),
)
def data_unkept(unkept_data: UnkeptDataList) -> CheckResult:
    """A container keeps a database where a recreate, a restart or a boot removes it.

    The container is started again by itself, as a service is. It has no mount for data, and a file
    of a database with 64 KiB or more in its own layer; or it has such a file in a tmpfs, or in a
    folder of the host below /tmp or /run.
    """
    for data in unkept_data:
        place = _LOST[data.kind].format(source=data.source)
        finding = Finding.about(
            data.container,
            f"{data.container} keeps {data.folder}/{data.file} in {place}",
            {f"{data.folder}": f"{data.file}, and no volume or folder is mounted there"}
            if data.kind == "layer"
            else {data.folder: f"{data.source or 'tmpfs'}, with {data.file}"},
            discriminator=data.folder,
            stable=(data.container.life,),
        )
        yield finding.with_variables(_steps(data))


def _steps(data: UnkeptData) -> PageVariables:
    """A volume of its own, and how the data comes into it."""
    if data.kind == "memory":
        return {}
    name = _SPECIAL.sub("-", f"{data.container.name}-{data.folder.rpartition('/')[2]}".lower())
    volume = name.strip("-")
    steps = {"volume": volume, "placed": f"{volume}:{data.folder}"}
    if data.kind == "layer":
        return steps | {"written": f"{data.container.name}:{data.folder}/."}
    return steps | {"temporary": f"{data.source}/.", "destination": data.folder}
