"""The options of `docker create` that a container was made with, from its inspect. Pure."""

import posixpath
import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

_DEFAULT_SHM = 64 * 2**20

Inspect = Mapping[str, Any]


class NoRecreateError(Exception):
    """The container cannot be recreated from what inspect says; one clear sentence."""


class Option(msgspec.Struct, frozen=True):
    """One option of `docker create`."""

    name: str
    value: str | None = None
    """None for an option that takes no value."""

    @property
    def text(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


def options_of(container: Inspect, image: Inspect, unmounted: frozenset[str]) -> Iterator[Option]:
    """The options that the container was made with, beside those that its image brings.

    unmounted: paths inside at which nothing is to be mounted. NoRecreateError where an option
    cannot be written.
    """
    config = container["Config"]
    host = container["HostConfig"]
    default = image.get("Config") or {}
    yield from _config_options(container, config, default)
    yield from _labels(config, default)
    yield from _host_options(host)
    yield from _lists(host)
    yield from _devices_and_limits(host)
    yield from _ports(config, host, default)
    yield from _mounts(container, host, unmounted)
    yield from _health(config.get("Healthcheck"), default.get("Healthcheck"))
    yield Option("log-driver", host["LogConfig"]["Type"])
    for key, value in (host["LogConfig"].get("Config") or {}).items():
        yield Option("log-opt", f"{key}={value}")


def _with_values(values: Inspect, names: Mapping[str, str], unit: str = "") -> Iterator[Option]:
    """The options whose value stands under a key of inspect; what is empty or 0 was not set.

    names: the option by its key. unit: what follows each value.
    """
    for key, name in names.items():
        if values.get(key):
            yield Option(name, f"{values[key]}{unit}")


def _flags(values: Inspect, names: Mapping[str, str]) -> Iterator[Option]:
    """The flags that are set, by their keys."""
    for key, name in names.items():
        if values.get(key):
            yield Option(name)


def _config_options(container: Inspect, config: Inspect, default: Inspect) -> Iterator[Option]:
    """The options that differ from what the image says."""
    entrypoint = config.get("Entrypoint") or []
    if entrypoint != (default.get("Entrypoint") or []):
        yield Option("entrypoint", entrypoint[0] if entrypoint else "")
    own_names = _own_names(container, config)
    yield from _with_values(own_names, {"Hostname": "hostname"})
    changed = {key: value for key, value in config.items() if value != default.get(key)}
    yield from _with_values(changed, _CONFIGURED)
    yield from _with_values(own_names, {"Domainname": "domainname"})
    if config.get("StopTimeout") is not None:
        yield Option("stop-timeout", str(config["StopTimeout"]))
    yield from _flags(config, {"Tty": "tty", "OpenStdin": "interactive"})


def _own_names(container: Inspect, config: Inspect) -> Inspect:
    """The names that were given to a container; by default its short id is its host name.

    One that shares a network namespace has the names of that.
    """
    if _shares(container["HostConfig"].get("NetworkMode")):
        return {}
    is_default = config.get("Hostname") == container["Id"][:12]
    return {**config, "Hostname": "" if is_default else config.get("Hostname")}


_CONFIGURED = {"User": "user", "WorkingDir": "workdir", "StopSignal": "stop-signal"}
"""Keys of Config that an image may bring."""


def _shares(mode: object) -> bool:
    """Whether a mode of a namespace is that of the host or of another container."""
    return str(mode or "").startswith(("container:", "host"))


def _labels(config: Inspect, default: Inspect) -> Iterator[Option]:
    """Labels that the image does not have."""
    labels = default.get("Labels") or {}
    for key, value in (config.get("Labels") or {}).items():
        if labels.get(key) != value:
            yield Option("label", f"{key}={value}")


_NUMBERS = {
    "Memory": "memory",
    "MemorySwap": "memory-swap",
    "MemoryReservation": "memory-reservation",
    "CpuShares": "cpu-shares",
    "CpuPeriod": "cpu-period",
    "CpuQuota": "cpu-quota",
    "OomScoreAdj": "oom-score-adj",
    "BlkioWeight": "blkio-weight",
}
"""Keys of HostConfig whose 0 means "not set"."""

_WORDS = {
    "CpusetCpus": "cpuset-cpus",
    "CpusetMems": "cpuset-mems",
    "PidMode": "pid",
    "UTSMode": "uts",
    "UsernsMode": "userns",
    "CgroupnsMode": "cgroupns",
    "CgroupParent": "cgroup-parent",
    "Runtime": "runtime",
    "VolumeDriver": "volume-driver",
}
"""Keys of HostConfig with one word, and their options."""

_FLAGS = {
    "Privileged": "privileged",
    "ReadonlyRootfs": "read-only",
    "Init": "init",
    "PublishAllPorts": "publish-all",
}
"""Keys of HostConfig that are true or false, and their options."""

_LISTS = {
    "CapAdd": "cap-add",
    "CapDrop": "cap-drop",
    "GroupAdd": "group-add",
    "Dns": "dns",
    "DnsSearch": "dns-search",
    "DnsOptions": "dns-option",
    "ExtraHosts": "add-host",
    "DeviceCgroupRules": "device-cgroup-rule",
    "VolumesFrom": "volumes-from",
}
"""Keys of HostConfig with several words, and the option that stands once for each."""

_THROTTLES = {
    "BlkioDeviceReadBps": "device-read-bps",
    "BlkioDeviceWriteBps": "device-write-bps",
    "BlkioDeviceReadIOps": "device-read-iops",
    "BlkioDeviceWriteIOps": "device-write-iops",
}
"""Limits of the traffic with one disk."""

_MAPPINGS = {"Sysctls": "sysctl", "Annotations": "annotation"}


def _host_options(host: Inspect) -> Iterator[Option]:
    """The options of `docker run` that HostConfig holds as plain values."""
    yield Option("restart", restart_policy(host))
    yield from _with_values(host, _NUMBERS)
    yield from _with_values(host, _WORDS)
    yield from _flags(host, _FLAGS)
    if host.get("NanoCpus"):
        yield Option("cpus", f"{host['NanoCpus'] / 1e9:g}")
    if (host.get("PidsLimit") or 0) > 0:
        yield Option("pids-limit", str(host["PidsLimit"]))
    yield from _flags(host, {"OomKillDisable": "oom-kill-disable"})
    yield from _shared_memory(host)
    if host.get("DeviceRequests"):
        yield Option("gpus", "all")


def _shared_memory(host: Inspect) -> Iterator[Option]:
    mode = host.get("IpcMode", "private")
    size = host.get("ShmSize", _DEFAULT_SHM)
    if size != _DEFAULT_SHM and not _shares(mode):
        yield Option("shm-size", str(size))
    if mode != "private":
        yield Option("ipc", mode)


def _lists(host: Inspect) -> Iterator[Option]:
    """The options that may be given several times."""
    for key, name in _LISTS.items():
        for value in host.get(key) or ():
            yield Option(name, value)
    for value in host.get("SecurityOpt") or ():
        # a privileged container is given this by the engine itself
        if not (host.get("Privileged") and value == "label=disable"):
            yield Option("security-opt", value)
    for key, name in _MAPPINGS.items():
        for host_place, right in (host.get(key) or {}).items():
            yield Option(name, f"{host_place}={right}")


def _devices_and_limits(host: Inspect) -> Iterator[Option]:
    """The options for devices, ulimits, throttles and links."""
    for device in host.get("Devices") or ():
        paths = f"{device['PathOnHost']}:{device['PathInContainer']}"
        yield Option("device", f"{paths}:{device['CgroupPermissions']}")
    for limit in host.get("Ulimits") or ():
        # Podman has the kernel's name
        resource = str(limit["Name"]).removeprefix("RLIMIT_").lower()
        yield Option("ulimit", f"{resource}={limit['Soft']}:{limit['Hard']}")
    for key, name in _THROTTLES.items():
        for throttle in host.get(key) or ():
            yield Option(name, f"{throttle['Path']}:{throttle['Rate']}")
    for link in host.get("Links") or ():
        peer, _, alias = link.partition(":")
        yield Option("link", f"{peer.lstrip('/')}:{posixpath.basename(alias)}")


def restart_policy(host: Inspect) -> str:
    """The restart policy as `--restart` takes it."""
    policy = host.get("RestartPolicy") or {}
    name = policy.get("Name") or "no"
    count = policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def _ports(config: Inspect, host: Inspect, default: Inspect) -> Iterator[Option]:
    """The published ports, and the exposed ones that the image does not expose itself."""
    published = host.get("PortBindings") or {}
    for port, bindings in published.items():
        for binding in bindings or ():
            address = binding.get("HostIp") or ""
            if ":" in address:
                address = f"[{address}]"
            before = f"{address}:" if address else ""
            yield Option("publish", f"{before}{binding.get('HostPort') or ''}:{port}")
    exposed_already = {*published, *(default.get("ExposedPorts") or {})}
    for port in config.get("ExposedPorts") or {}:
        if port not in exposed_already:
            yield Option("expose", port)


def _mounts(container: Inspect, host: Inspect, unmounted: frozenset[str]) -> Iterator[Option]:
    """Binds and mounts as they were asked for.

    The volumes that the image asks for go by the names that they have got.
    """
    places = set(unmounted)
    for bind in host.get("Binds") or ():
        target = bind.split(":")[1] if ":" in bind else bind
        if target not in unmounted:
            yield Option("volume", bind)
            places.add(target)
    for mount in host.get("Mounts") or ():
        if mount["Target"] not in unmounted:
            yield Option("mount", _mount(mount))
            places.add(mount["Target"])
    for path, options in (host.get("Tmpfs") or {}).items():
        if path not in unmounted:
            yield Option("tmpfs", f"{path}:{options}" if options else path)
    if not host.get("VolumesFrom"):
        yield from _volumes_of_image(container, places)


def _volumes_of_image(container: Inspect, mounted_paths: Collection[str]) -> Iterator[Option]:
    """The volumes for which the user named no target.

    mounted_paths: the targets that are mounted.
    """
    for mount in container.get("Mounts") or ():
        if mount["Type"] == "volume" and mount["Destination"] not in mounted_paths:
            yield Option("volume", f"{mount['Name']}:{mount['Destination']}")


def _mount(mount: Inspect) -> str:
    """One of HostConfig.Mounts as `--mount` takes it.

    NoRecreateError for options that are not known here.
    """
    words = list(_words_of(mount))
    unknown = {
        name
        for options, known_keys in _KNOWN_OF_MOUNT.items()
        for name in (mount.get(options) or {}).keys() - known_keys
    }
    if unknown or any("," in word for word in words):
        raise NoRecreateError(
            f"the mount at {mount['Target']} has options that are not known here: "
            "create the container by hand"
        )
    return ",".join(words)


_KNOWN_OF_MOUNT = {
    "BindOptions": {"Propagation", "CreateMountpoint"},
    "VolumeOptions": {"NoCopy", "Labels"},
    "TmpfsOptions": {"SizeBytes", "Mode"},
}
"""Options of a mount that can be written, or that its creation does not need."""


def _words_of(mount: Inspect) -> Iterator[str]:
    """The parts of one `--mount` option."""
    yield f"type={mount['Type']}"
    yield f"target={mount['Target']}"
    if mount.get("Source"):
        yield f"source={mount['Source']}"
    if mount.get("ReadOnly"):
        yield "readonly"
    bind, volume, memory = (mount.get(options) or {} for options in _KNOWN_OF_MOUNT)
    if bind.get("Propagation"):
        yield f"bind-propagation={bind['Propagation']}"
    if volume.get("NoCopy"):
        yield "volume-nocopy"
    if memory.get("SizeBytes"):
        yield f"tmpfs-size={memory['SizeBytes']}"
    if memory.get("Mode"):
        yield f"tmpfs-mode={memory['Mode']:o}"


def _health(health: Inspect | None, default: Inspect | None) -> Iterator[Option]:
    """The options of the health check, where it is not the image's own."""
    if not health or health == default:
        return
    test = health.get("Test") or []
    if test[:1] == ["NONE"]:
        yield Option("no-healthcheck")
        return
    if test and test != ((default or {}).get("Test") or []):
        yield Option("health-cmd", test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:]))
    yield from _with_values(health, _OF_HEALTH, "ns")
    yield from _with_values(health, {"Retries": "health-retries"})


_OF_HEALTH = {
    "Interval": "health-interval",
    "Timeout": "health-timeout",
    "StartPeriod": "health-start-period",
    "StartInterval": "health-start-interval",
}
"""Durations in nanoseconds."""
OPTIONS_OF_HEALTH = frozenset({"health-cmd", "health-retries", *_OF_HEALTH.values()})
"""docker refuses them beside `--no-healthcheck`."""


def networks_of(container: Inspect) -> list[tuple[str, list[Option]]]:
    """The networks that a container is on by name, each with the options of its endpoint.

    The one that it was created with comes first.
    """
    mode = str(container["HostConfig"].get("NetworkMode") or "default")
    if mode in ("host", "none") or mode.startswith("container:"):
        return []
    networks = (container.get("NetworkSettings") or {}).get("Networks") or {}
    first = "bridge" if mode == "default" else mode
    names = sorted(networks, key=lambda name: (name != first, name))
    return [(name, _endpoint(networks[name] or {}, container)) for name in names]


def _endpoint(endpoint: Inspect, container: Inspect) -> list[Option]:
    own_names = {container["Id"][:12], str(container["Name"]).removeprefix("/")}
    aliases = [alias for alias in endpoint.get("Aliases") or () if alias not in own_names]
    ipam = endpoint.get("IPAMConfig") or {}
    return [
        *(Option("alias", alias) for alias in aliases),
        *_with_values(ipam, {"IPv4Address": "ip", "IPv6Address": "ip6"}),
    ]
