"""The options of `docker create` that a container was made with, from its inspect. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import msgspec

_DEFAULT_SHM = 64 * 2**20


Inspect = Mapping[str, Any]


class NoRecreateError(Exception):
    """The container cannot be recreated from what inspect says; one clear sentence."""


class Option(msgspec.Struct, frozen=True):
    """One option of `docker create`. value: None for a flag."""

    name: str
    value: str | None = None

    @property
    def text(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


def options_of(container: Inspect, image: Inspect, unmounted: frozenset[str]) -> Iterator[Option]:
    """The options that the container was made with, beside those that its image brings.

    unmounted: paths inside at which nothing is to be mounted. NoRecreateError where an option
    cannot be written.
    """
    config, host = container["Config"], container["HostConfig"]
    default = image.get("Config") or {}
    yield from _of_config(container, config, default)
    yield from _labels(config, default)
    yield from _of_host(host)
    yield from _lists(host)
    yield from _devices_and_limits(host)
    yield from _ports(config, host, default)
    yield from _mounts(container, host, unmounted)
    yield from _health(config.get("Healthcheck"), default.get("Healthcheck"))
    yield Option("log-driver", host["LogConfig"]["Type"])
    for key, value in (host["LogConfig"].get("Config") or {}).items():
        yield Option("log-opt", f"{key}={value}")


def _of_config(container: Inspect, config: Inspect, default: Inspect) -> Iterator[Option]:
    entrypoint = config.get("Entrypoint") or []
    if entrypoint != (default.get("Entrypoint") or []):
        yield Option("entrypoint", entrypoint[0] if entrypoint else "")
    has_own_names = not _shares(container["HostConfig"].get("NetworkMode"))
    hostname = config.get("Hostname")
    if has_own_names and hostname and hostname != container["Id"][:12]:
        yield Option("hostname", hostname)
    for key, name in _CONFIGURED.items():
        if config.get(key) and config[key] != default.get(key):
            yield Option(name, config[key])
    if has_own_names and config.get("Domainname"):
        yield Option("domainname", config["Domainname"])
    if config.get("StopTimeout") is not None:
        yield Option("stop-timeout", str(config["StopTimeout"]))
    for key, name in (("Tty", "tty"), ("OpenStdin", "interactive")):
        if config.get(key):
            yield Option(name)


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


_FLAGS = {
    "Privileged": "privileged",
    "ReadonlyRootfs": "read-only",
    "Init": "init",
    "PublishAllPorts": "publish-all",
}


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


_THROTTLES = {
    "BlkioDeviceReadBps": "device-read-bps",
    "BlkioDeviceWriteBps": "device-write-bps",
    "BlkioDeviceReadIOps": "device-read-iops",
    "BlkioDeviceWriteIOps": "device-write-iops",
}
"""Limits of the traffic with one disk."""


_MAPPINGS = {"Sysctls": "sysctl", "Annotations": "annotation"}


def _of_host(host: Inspect) -> Iterator[Option]:
    yield Option("restart", restart_policy(host))
    for key, name in (_NUMBERS | _WORDS).items():
        if host.get(key):
            yield Option(name, str(host[key]))
    for key, name in _FLAGS.items():
        if host.get(key):
            yield Option(name)
    if host.get("NanoCpus"):
        yield Option("cpus", f"{host['NanoCpus'] / 1e9:g}")
    if (host.get("PidsLimit") or 0) > 0:
        yield Option("pids-limit", str(host["PidsLimit"]))
    if host.get("OomKillDisable"):
        yield Option("oom-kill-disable")
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
    for key, name in _LISTS.items():
        for value in host.get(key) or ():
            yield Option(name, value)
    for value in host.get("SecurityOpt") or ():
        # a privileged container is given this by the engine itself
        if not (host.get("Privileged") and value == "label=disable"):
            yield Option("security-opt", value)
    for key, name in _MAPPINGS.items():
        for left, right in (host.get(key) or {}).items():
            yield Option(name, f"{left}={right}")


def _devices_and_limits(host: Inspect) -> Iterator[Option]:
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
        yield Option("link", f"{peer.lstrip('/')}:{alias.rpartition('/')[2]}")


def restart_policy(host: Inspect) -> str:
    """The restart policy as `--restart` takes it."""
    policy = host.get("RestartPolicy") or {}
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def _ports(config: Inspect, host: Inspect, default: Inspect) -> Iterator[Option]:
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
    taken = set(unmounted)
    for bind in host.get("Binds") or ():
        target = bind.split(":")[1] if ":" in bind else bind
        if target not in unmounted:
            yield Option("volume", bind)
            taken.add(target)
    for mount in host.get("Mounts") or ():
        if mount["Target"] not in unmounted:
            yield Option("mount", _mount(mount))
            taken.add(mount["Target"])
    for path, options in (host.get("Tmpfs") or {}).items():
        if path not in unmounted:
            yield Option("tmpfs", f"{path}:{options}" if options else path)
    if not host.get("VolumesFrom"):
        yield from _volumes_of_image(container, taken)


def _volumes_of_image(container: Inspect, taken: Collection[str]) -> Iterator[Option]:
    """The volumes for which the user named no target. taken: the targets that are mounted."""
    for mount in container.get("Mounts") or ():
        if mount["Type"] == "volume" and mount["Destination"] not in taken:
            yield Option("volume", f"{mount['Name']}:{mount['Destination']}")


def _mount(mount: Inspect) -> str:
    """One of HostConfig.Mounts as `--mount` takes it.

    NoRecreateError for options that are not known here.
    """
    words = [f"type={mount['Type']}", f"target={mount['Target']}"]
    words += [f"source={mount['Source']}"] if mount.get("Source") else []
    words += ["readonly"] if mount.get("ReadOnly") else []
    bind, volume, memory = (
        mount.get(key) or {} for key in ("BindOptions", "VolumeOptions", "TmpfsOptions")
    )
    words += [f"bind-propagation={bind['Propagation']}"] if bind.get("Propagation") else []
    words += ["volume-nocopy"] if volume.get("NoCopy") else []
    words += [f"tmpfs-size={memory['SizeBytes']}"] if memory.get("SizeBytes") else []
    words += [f"tmpfs-mode={memory['Mode']:o}"] if memory.get("Mode") else []
    unknown = [
        *(bind.keys() - {"Propagation", "CreateMountpoint"}),
        *(volume.keys() - {"NoCopy", "Labels"}),
        *(memory.keys() - {"SizeBytes", "Mode"}),
    ]
    if unknown or any("," in word for word in words):
        raise NoRecreateError(
            f"the mount at {mount['Target']} has options that are not known here: "
            "create the container by hand"
        )
    return ",".join(words)


def _health(health: Inspect | None, default: Inspect | None) -> Iterator[Option]:
    if not health or health == default:
        return
    test = health.get("Test") or []
    if test[:1] == ["NONE"]:
        yield Option("no-healthcheck")
        return
    if test != ((default or {}).get("Test") or []) and test:
        yield Option("health-cmd", test[1] if test[0] == "CMD-SHELL" else shlex.join(test[1:]))
    for key, name in (
        ("Interval", "health-interval"),
        ("Timeout", "health-timeout"),
        ("StartPeriod", "health-start-period"),
        ("StartInterval", "health-start-interval"),
    ):
        if health.get(key):
            yield Option(name, f"{health[key]}ns")
    if health.get("Retries"):
        yield Option("health-retries", str(health["Retries"]))


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
    wanted = endpoint.get("IPAMConfig") or {}
    own = {container["Id"][:12], str(container["Name"]).removeprefix("/")}
    options = [
        Option("alias", alias) for alias in endpoint.get("Aliases") or () if alias not in own
    ]
    options += [Option("ip", wanted["IPv4Address"])] if wanted.get("IPv4Address") else []
    options += [Option("ip6", wanted["IPv6Address"])] if wanted.get("IPv6Address") else []
    return options
