"""Lists of `HostConfig` as types: the requested mounts, devices and ulimits of a container."""

import msgspec


class UlimitEntry(msgspec.Struct, frozen=True, rename="pascal"):
    """A limit of the processes of a container (`--ulimit`); -1 is none."""

    name: str = ""
    hard: int = 0
    soft: int = 0


class DeviceMapping(msgspec.Struct, frozen=True, rename="pascal"):
    """A device of the host that a container was given (`--device`)."""

    path_on_host: str = ""
    path_in_container: str = ""


class DeviceRequest(msgspec.Struct, frozen=True, rename="pascal"):
    """The request for devices of a driver (`--gpus`)."""

    driver: str = ""


class TmpfsOptions(msgspec.Struct, frozen=True, rename="pascal"):
    """The size of a mount in memory, in bytes (0: half of the host's memory), and its mode."""

    size_bytes: int = 0
    mode: int = 0

    @property
    def words(self) -> str:
        """The options as those of `--tmpfs`: `size=4194304,mode=1777`."""
        size = [f"size={self.size_bytes}"] if self.size_bytes else []
        mode = [f"mode={self.mode:o}"] if self.mode else []
        return ",".join([*size, *mode])


class WantedMount(msgspec.Struct, frozen=True, rename="pascal"):
    """A mount in the form of `--mount`; `Mount` is one that the container has."""

    type: str = ""
    source: str = ""
    target: str = ""
    tmpfs_options: TmpfsOptions | None = None
