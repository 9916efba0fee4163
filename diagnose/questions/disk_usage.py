"""Questions to the engine about what takes its disk."""

from collections.abc import Sequence

import msgspec

from diagnose.questions.question import Question, engine_get


class BuildRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """One record of the build cache; sizes in bytes."""

    id: str = msgspec.field(name="ID", default="")
    size: int = 0
    in_use: bool = False
    shared: bool = False


class WritableLayer(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes that a container has written."""

    id: str
    size_rw: int | None = None


class VolumeFigures(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes of a volume; -1 where the engine did not count."""

    size: int | None = None


class MeasuredVolume(msgspec.Struct, frozen=True, rename="pascal"):
    """One volume and its figures."""

    name: str
    usage_data: VolumeFigures | None = None

    @property
    def size(self) -> int:
        """Bytes; 0 where the engine did not count."""
        return max(self.usage_data.size or 0, 0) if self.usage_data else 0


class BuildRecords(msgspec.Struct, frozen=True, rename="pascal"):
    """The records of the build cache, from API 1.52 on."""

    items: list[BuildRecord] | None = None


class WritableLayers(msgspec.Struct, frozen=True, rename="pascal"):
    """The writable layers, from API 1.52 on."""

    items: list[WritableLayer] | None = None


class MeasuredVolumes(msgspec.Struct, frozen=True, rename="pascal"):
    """The volumes, from API 1.52 on."""

    items: list[MeasuredVolume] | None = None


class ImageTotal(msgspec.Struct, frozen=True, rename="pascal"):
    """The bytes of all images, from API 1.52 on."""

    total_size: int | None = None


class EngineDiskUsage(msgspec.Struct, frozen=True, rename="pascal"):
    """`GET /system/df`.

    Lists up to API 1.51, which are null where there is nothing, and groups with `Items` from
    1.52 on.
    """

    build_cache: list[BuildRecord] | None = None
    build_cache_usage: BuildRecords | None = None
    build_cache_disk_usage: BuildRecords | None = None
    containers: list[WritableLayer] | None = None
    container_usage: WritableLayers | None = None
    volumes: list[MeasuredVolume] | None = None
    volume_usage: MeasuredVolumes | None = None
    layers_size: int | None = None
    image_usage: ImageTotal | None = None

    @property
    def build_records(self) -> list[BuildRecord]:
        """The records of the build cache: in a group of either name from API 1.52 on."""
        group = self.build_cache_usage or self.build_cache_disk_usage or BuildRecords()
        return self.build_cache or group.items or []

    @property
    def written(self) -> dict[str, int]:
        """Bytes of writable layers, by container id."""
        group = self.container_usage or WritableLayers()
        return {layer.id: layer.size_rw or 0 for layer in self.containers or group.items or ()}

    @property
    def volume_sizes(self) -> dict[str, int]:
        """Bytes by the name of the volume."""
        group = self.volume_usage or MeasuredVolumes()
        return {volume.name: volume.size for volume in self.volumes or group.items or ()}

    @property
    def image_bytes(self) -> int:
        group = self.image_usage or ImageTotal()
        return self.layers_size or group.total_size or 0


class MeasureDiskUsage(Question[EngineDiskUsage], frozen=True):
    """/system/df. An empty `type` asks for everything."""

    POLICY = engine_get(
        "api.system_df",
        "the engine's disk usage (docker system df)",
        "/system/df",
        deadline=5,
        priority=9,
        lane="last",
        parameters={"verbose": True},
    )
    type: Sequence[str] = ()
