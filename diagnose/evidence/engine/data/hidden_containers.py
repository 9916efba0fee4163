"""Containers in the data root that the engine does not list.

Those of another storage driver, and those whose records are damaged.
"""

import json
from collections.abc import Iterator, Mapping, Sequence

import msgspec

from diagnose.evidence.containers.from_disk import FILE_BYTES
from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.engine.info import Info
from diagnose.model import Failed, Json, Unavailable
from diagnose.questions import Host
from diagnose.questions.engine import PingEngine
from diagnose.questions.files import FileText, ListFolder, ReadFile, StatPaths
from diagnose.registry import evidence

MOST = 20
"""Maximum number of files that are read; the rest are counted as those of the same driver."""
ID_LENGTH = 64
CONFIG = "config.v2.json"
_RECORDS = (CONFIG, "hostconfig.json")
"""Files of a container that the engine reads when it starts (daemon/container, 20.10 to 29)."""


class DamagedRecord(msgspec.Struct, frozen=True):
    """A container that the engine cannot load.

    One of its two files holds no JSON object, or the record of its layer is gone.
    """

    id: str
    file: str
    """The damaged file of the two, or the record that is gone."""
    is_empty: bool
    """Whether the damaged file has 0 bytes."""
    name: str = ""
    """The container's name; empty where only the damaged file had it."""
    mounts: tuple[str, ...] = ()
    """Volumes and folders of the host that it used, as far as they are known."""
    is_gone: bool = False
    """Whether the record of its layer does not exist."""


class HiddenContainers(msgspec.Struct, frozen=True):
    """Containers in the data root that another storage driver has created, not the one in use."""

    folder: str
    count: int = 0
    """The number of all such containers."""
    names: tuple[str, ...] = ()
    """Names of these containers, as far as their files were read."""
    driver: str = ""
    """Their storage driver."""
    damaged: tuple[DamagedRecord, ...] = ()
    """Those that no driver would show, because their records are damaged."""


class _State(msgspec.Struct, frozen=True):
    """The state in config.v2.json."""

    dead: bool = msgspec.field(default=False, name="Dead")
    """Whether the engine has begun to remove it."""


class _Config(msgspec.Struct, frozen=True):
    """The parts of config.v2.json that are needed here."""

    name: str = msgspec.field(default="", name="Name")
    driver: str = msgspec.field(default="", name="Driver")
    state: _State = msgspec.field(default_factory=_State, name="State")


@evidence
def hidden_containers(
    host: Host, containers: Containers, info: Info
) -> HiddenContainers | Unavailable:
    """The containers of another storage driver in the data root.

    The engine loads only containers of the driver in use, without a word about the others
    (daemon/daemon.go, engines 20.10 to 29).
    """
    ping = host.ask(PingEngine())
    if not isinstance(ping, Failed) and ping.libpod:
        return Unavailable("not applicable", "Podman keeps its containers in a database")
    folder = f"{info.docker_root_dir}/containers"
    if not info.docker_root_dir or not info.driver:
        return Unavailable("missing", "the engine does not name its data root or storage driver")
    listing = host.require(ListFolder(folder))
    unlisted = _unlisted_ids(listing.names, containers)
    looked_at = unlisted[:MOST]
    files = _records(host, folder, looked_at)
    records = [_damaged_record(folder, id, files) for id in looked_at]
    torn = [record for record in records if record is not None]
    torn_ids = {record.id for record in torn}
    whole = [id for id in looked_at if id not in torn_ids]
    damaged = (*torn, *_without_layer(host, info, whole, files))
    foreign = _foreign_containers(files, info.driver)
    if not foreign:
        return HiddenContainers(folder, damaged=damaged)
    names = tuple(sorted(config.name.lstrip("/") for config in foreign))
    not_looked_at = len(unlisted) - len(looked_at)
    return HiddenContainers(folder, len(foreign) + not_looked_at, names, foreign[0].driver, damaged)


def _foreign_containers(files: Mapping[str, FileText], driver: str) -> list[_Config]:
    """The containers that were created with another storage driver than this one."""
    configs = [_config(file.text) for path, file in files.items() if path.endswith(CONFIG)]
    return [config for config in configs if config.driver not in ("", driver)]


def _records(host: Host, folder: str, ids: Sequence[str]) -> dict[str, FileText]:
    """The files in which the engine keeps these containers, by path, as far as they can be read."""
    paths = [f"{folder}/{id}/{name}" for id in ids for name in _RECORDS]
    files = host.answers_about(paths, lambda path: ReadFile(path, max_bytes=FILE_BYTES))
    return {path: files[path] for path in paths if path in files}


def _damaged_record(folder: str, id: str, files: Mapping[str, FileText]) -> DamagedRecord | None:
    """The damaged record of a container; None for one that is whole, or that is not known.

    The engine writes both files to another name first and renames them: no moment of its work
    shows them torn.
    """
    records = {
        name: file for name in _RECORDS if (file := files.get(f"{folder}/{id}/{name}")) is not None
    }
    torn = next((name for name, file in records.items() if _is_torn(file)), None)
    if torn is None:
        return None
    config, about = (
        _json_object(records[name].text) if name in records else {} for name in _RECORDS
    )
    recorded_name = config.get("Name")
    return DamagedRecord(
        id,
        f"{folder}/{id}/{torn}",
        is_empty=not records[torn].text.strip("\0 \n"),
        name=recorded_name.lstrip("/") if isinstance(recorded_name, str) else "",
        mounts=tuple(_mounted_sources(about)),
    )


def _without_layer(
    host: Host, info: Info, ids: Sequence[str], files: Mapping[str, FileText]
) -> Iterator[DamagedRecord]:
    """Whole containers of the driver in use whose layer has no record any more.

    The engine skips them at its start ("failed to load container mount"). It removes a layer's
    record before the container's, and marks such a container as dead before that. The records of a
    containerd store lie elsewhere.
    """
    if info.uses_containerd_store or not ids:
        return
    folder = f"{info.docker_root_dir}/containers"
    statuses = host.ask(StatPaths([f"{layer_records(info)}/{id}" for id in ids]))
    if isinstance(statuses, Failed):
        return
    for id in ids:
        config, about = (files.get(f"{folder}/{id}/{name}") for name in _RECORDS)
        record = f"{layer_records(info)}/{id}"
        if config is None or about is None or statuses[record].failed != "missing":
            continue
        config_of_container = _config(config.text)
        if config_of_container.driver == info.driver and not config_of_container.state.dead:
            mounts = tuple(_mounted_sources(_json_object(about.text)))
            yield DamagedRecord(
                id,
                record,
                is_empty=False,
                name=config_of_container.name.lstrip("/"),
                mounts=mounts,
                is_gone=True,
            )


def layer_records(info: Info) -> str:
    """The folder in which a storage driver's layers of containers are recorded, by container id."""
    return f"{info.docker_root_dir}/image/{info.driver}/layerdb/mounts"


def _is_torn(file: FileText) -> bool:
    """Whether a file that was read whole holds no object."""
    return not file.truncated and not _json_object(file.text)


def _json_object(text: str) -> Mapping[str, Json]:
    try:
        value = json.loads(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _mounted_sources(about: Mapping[str, Json]) -> Iterator[str]:
    """Volumes and folders of the host that hostconfig.json names."""
    binds = about.get("Binds")
    mounts = about.get("Mounts")
    bind_list = binds if isinstance(binds, list) else ()
    for bind in bind_list:
        yield str(bind).partition(":")[0]
    mount_list = mounts if isinstance(mounts, list) else ()
    for mount in mount_list:
        if isinstance(mount, dict) and mount.get("Source"):
            yield str(mount["Source"])


def _unlisted_ids(names: list[str], containers: Containers) -> list[str]:
    ids = {container.id for container in containers}
    unread = tuple(unexamined.subject.name for unexamined in containers.unexamined)
    return sorted(
        name
        for name in names
        if len(name) == ID_LENGTH and name not in ids and not name.startswith(unread)
    )


def _config(text: str) -> _Config:
    try:
        return msgspec.convert(json.loads(text), _Config)
    except (ValueError, msgspec.ValidationError):
        return _Config()
