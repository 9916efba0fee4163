"""Drivers that a service of a swarm asks for, and those that the engine of a node has."""

import msgspec


class NodePlugin(msgspec.Struct, frozen=True, rename="pascal"):
    """A driver that the engine of a node has, of its own or installed, or that a task needs."""

    type: str = ""
    """Log, Volume or Network."""
    name: str = ""

    @property
    def plain_name(self) -> str:
        """The name without the tag of a driver that was installed."""
        return self.name.removesuffix(":latest")


class NodeEngine(msgspec.Struct, frozen=True, rename="pascal"):
    """The engine of a node."""

    plugins: list[NodePlugin] | None = None


class NamedDriver(msgspec.Struct, frozen=True, rename="pascal"):
    """A driver for logs or for a volume, by its name."""

    name: str = ""


class VolumeOptions(msgspec.Struct, frozen=True, rename="pascal"):
    """The options with which a volume is made."""

    driver_config: NamedDriver | None = None


class TaskMount(msgspec.Struct, frozen=True, rename="pascal"):
    """A mount of a task's container."""

    volume_options: VolumeOptions | None = None

    @property
    def driver(self) -> str:
        """The driver of its volume; "" for the default one."""
        options = self.volume_options or VolumeOptions()
        return options.driver_config.name if options.driver_config is not None else ""
