"""A container again as it is, with a change.

A script from its inspect, with every option it was made with. Pure.

What the engine keeps of `docker run` is in inspect: `Config` (what the image could say too),
`HostConfig` (what only the command line says), `NetworkSettings` and `Mounts` (what came of it).
Option names are those of the docker CLI since 20.10. Values of the environment are secrets, and
redacted here: the script reads them from the engine when it runs.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from diagnose.redact import TOKEN

_TOKEN = re.compile(TOKEN)
_DEFAULT_SHM = 64 * 2**20
_ENV = "'{{range .Config.Env}}{{println .}}{{end}}'"
_SWARM = "com.docker.swarm.task.id"
_COMPOSE = "com.docker.compose."
_UNIT = "PODMAN_SYSTEMD_UNIT"
PODMAN = "podman"
"""The command of the engine whose command line differs from Docker's."""
Inspect = Mapping[str, Any]


class NoRecreateError(Exception):
    """The container cannot be created again from what inspect says; one clear sentence."""


class ContainerChange(msgspec.Struct, frozen=True):
    """What is to be different.

    options: of `docker create`, behind those that the container has; the last one counts.

    without: long names of options to leave out, without their dashes. command: the words to run,
    None for those of now.
    """

    options: tuple[str, ...] = ()
    without: frozenset[str] = frozenset()
    unmounted: frozenset[str] = frozenset()
    """Paths inside at which nothing is to be mounted."""
    image: str = ""
    command: tuple[str, ...] | None = None


class Option(msgspec.Struct, frozen=True):
    """One option of `docker create`. value: None for a flag."""

    name: str
    value: str | None = None

    @property
    def text(self) -> str:
        return f"--{self.name}" if self.value is None else f"--{self.name}={self.value}"


def script(
    container: Inspect, image: Inspect | None, change: ContainerChange, docker: str = "docker"
) -> str:
    """A shell script that creates the container again.

    The old one is kept, stopped, under another name.

    Where the new one cannot be created or started, the old one is given back its name and started.
    docker: the command that reaches the engine. Podman's inspect names its default runtime as if it
    had been asked for, and `podman create` has no such option. image: the inspect of the
    container's image, None if it is gone. NoRecreateError where something would be lost.
    """
    name = str(container["Name"]).removeprefix("/")
    _refuse_what_is_not_ours(container, name)
    left_out = change.without | ({"runtime"} if docker == PODMAN else set())
    options = [
        option
        for option in _options(container, image or {}, change.unmounted)
        if option.name not in left_out
    ]
    networks = _networks(container)
    own_network = any(word.partition("=")[0] in ("--network", "--net") for word in change.options)
    if own_network or "network" in change.without:
        networks = []
    command = _command(container, image or {}, change)
    words = [
        *(option.text for option in options),
        *_first_network(container, networks, change),
        *change.options,
        *command,
    ]
    _refuse_secrets([*words, *(option.text for network in networks for option in network[1])], name)
    return _text(name, docker, words, networks[1:], container)


def _text(
    name: str,
    docker: str,
    words: Sequence[str],
    networks: Sequence[tuple[str, list[Option]]],
    container: Inspect,
) -> str:
    quoted = shlex.quote(name)
    create = " \\\n    ".join(shlex.quote(word) for word in words)
    connect = [
        f"{docker} network connect {' '.join(shlex.quote(option.text) for option in options)} "
        f"{shlex.quote(network)} {quoted} || back"
        for network, options in networks
    ]
    policy = _policy(container["HostConfig"])
    is_podman = docker == PODMAN
    own_hostname = f"HOSTNAME={str(container['Id'])[:12]}"
    return "\n".join(
        [
            "#!/bin/sh",
            (
                f"# Creates container {name} again. "
                f"The old one is kept, stopped, as {name}-before-TIME."
            ),
            *_compose_note(container),
            *(_podman_notes(container) if is_podman else ()),
            "set -e",
            f"old={quoted}-before-$(date +%Y%m%d%H%M%S)",
            "environment=$(mktemp)",
            "trap 'rm -f \"$environment\"' EXIT",
            "back() {",
            f"    {docker} rm --force {quoted} 2>/dev/null || true",
            f'    {docker} rename "$old" {quoted}',
            f"    {_update_policy(docker, policy, quoted)}",
            f"    {docker} start {quoted}",
            "    exit 1",
            "}",
            f'{docker} inspect --format {_ENV} {quoted} >"$environment"',
            (
                f'if [ $(($(wc -l <"$environment") - 1)) -ne "$({docker} inspect --format \'{{{{len '
                f".Config.Env}}}}' {quoted})\" ]; then"
            ),
            "    echo 'a variable of its environment has several lines: create it by hand' >&2",
            "    exit 1",
            "fi",
            *([f'sed -i /^{own_hostname}$/d "$environment"'] if is_podman else ()),
            _update_policy(docker, "no", quoted),
            f"{docker} stop {quoted} >/dev/null",
            f'{docker} rename {quoted} "$old"',
            f'{docker} create --name {quoted} --env-file "$environment" \\\n    {create} || back',
            *connect,
            f"{docker} start {quoted} || back",
            "",
        ]
    )


def _update_policy(docker: str, policy: str, quoted: str) -> str:
    """The command that sets a restart policy.

    Podman before 5.1 has none, and needs none: it does not start a container again that was stopped
    by hand.
    """
    command = f"{docker} update --restart {policy} {quoted} >/dev/null"
    return f"{command} 2>&1 || true" if docker == PODMAN else command


def _podman_notes(container: Inspect) -> Iterator[str]:
    yield "# Podman does not say whether an address was fixed: if so, pass --ip=ADDRESS behind --."
    unit = (container["Config"].get("Labels") or {}).get(_UNIT)
    if unit:
        yield f"# Unit {unit} made it: change the unit too, or its next start takes the change back."


def _compose_note(container: Inspect) -> list[str]:
    labels = container["Config"].get("Labels") or {}
    folder = labels.get(f"{_COMPOSE}project.working_dir")
    if not folder:
        return []
    return [
        f"# Compose made it: change its file in {folder} too, "
        "or the next `up` takes the change back.".replace("\n", " ")
    ]


def _refuse_what_is_not_ours(container: Inspect, name: str) -> None:
    labels = container["Config"].get("Labels") or {}
    if _SWARM in labels:
        raise NoRecreateError(
            f'container "{name}" is a task of swarm: change its service with docker service update'
        )
    if container["HostConfig"].get("AutoRemove"):
        raise NoRecreateError(
            f'container "{name}" is removed as soon as it stops (--rm): '
            "start it again with its own command"
        )
    requests = container["HostConfig"].get("DeviceRequests") or []
    if any(request.get("Count") != -1 for request in requests):
        raise NoRecreateError(
            f'container "{name}" has some GPUs by number or id, '
            "which inspect does not say as an option"
        )


def _refuse_secrets(words: Sequence[str], name: str) -> None:
    for word in words:
        if _TOKEN.search(word):
            option = word.partition("=")[0]
            raise NoRecreateError(
                f'container "{name}" has a secret in its command line ({option}), '
                "which is not shown: create it by hand"
            )


def _command(container: Inspect, image: Inspect, change: ContainerChange) -> list[str]:
    """The image, and the words behind it."""
    config, default = container["Config"], image.get("Config") or {}
    reference = change.image or config["Image"]
    entrypoint, own = config.get("Entrypoint") or [], default.get("Entrypoint") or []
    behind = [] if entrypoint == own else entrypoint[1:]
    if change.command is not None:
        return [reference, *behind, *change.command]
    is_default = entrypoint == own and config.get("Cmd") == default.get("Cmd")
    return [reference] if is_default else [reference, *behind, *(config.get("Cmd") or [])]


def _options(container: Inspect, image: Inspect, unmounted: frozenset[str]) -> Iterator[Option]:
    config, host = container["Config"], container["HostConfig"]
    default = image.get("Config") or {}
    yield from _of_config(container, config, default)
    yield from _of_host(host)
    yield from _lists(host)
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
    is_own_netns = not str(container["HostConfig"].get("NetworkMode", "")).startswith(
        ("container:", "host")
    )
    if is_own_netns and config.get("Hostname") and config["Hostname"] != container["Id"][:12]:
        yield Option("hostname", config["Hostname"])
    for key, name in (("User", "user"), ("WorkingDir", "workdir"), ("StopSignal", "stop-signal")):
        if config.get(key) and config[key] != default.get(key):
            yield Option(name, config[key])
    if config.get("Domainname") and is_own_netns:
        yield Option("domainname", config["Domainname"])
    if config.get("StopTimeout") is not None:
        yield Option("stop-timeout", str(config["StopTimeout"]))
    for key, name in (("Tty", "tty"), ("OpenStdin", "interactive")):
        if config.get(key):
            yield Option(name)
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
_MAPPINGS = {"Sysctls": "sysctl", "Annotations": "annotation"}


def _of_host(host: Inspect) -> Iterator[Option]:
    yield Option("restart", _policy(host))
    for key, name in _NUMBERS.items():
        if host.get(key):
            yield Option(name, str(host[key]))
    for key, name in _WORDS.items():
        if host.get(key):
            yield Option(name, host[key])
    for key, name in _FLAGS.items():
        if host.get(key):
            yield Option(name)
    if host.get("NanoCpus"):
        yield Option("cpus", f"{host['NanoCpus'] / 1e9:g}")
    if (host.get("PidsLimit") or 0) > 0:
        yield Option("pids-limit", str(host["PidsLimit"]))
    if host.get("OomKillDisable"):
        yield Option("oom-kill-disable")
    if host.get("ShmSize", _DEFAULT_SHM) != _DEFAULT_SHM and not str(
        host.get("IpcMode", "")
    ).startswith(("container:", "host")):
        yield Option("shm-size", str(host["ShmSize"]))
    if host.get("IpcMode", "private") != "private":
        yield Option("ipc", host["IpcMode"])
    if host.get("DeviceRequests"):
        yield Option("gpus", "all")


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
    for device in host.get("Devices") or ():
        yield Option(
            "device",
            f"{device['PathOnHost']}:{device['PathInContainer']}:{device['CgroupPermissions']}",
        )
    for limit in host.get("Ulimits") or ():
        resource = (
            str(limit["Name"]).removeprefix("RLIMIT_").lower()
        )  # Podman has the kernel's name
        yield Option("ulimit", f"{resource}={limit['Soft']}:{limit['Hard']}")
    for link in host.get("Links") or ():
        peer, _, alias = link.partition(":")
        yield Option("link", f"{peer.lstrip('/')}:{alias.rpartition('/')[2]}")


def _policy(host: Inspect) -> str:
    policy = host.get("RestartPolicy") or {}
    name, count = policy.get("Name") or "no", policy.get("MaximumRetryCount") or 0
    return f"{name}:{count}" if name == "on-failure" and count else str(name)


def _ports(config: Inspect, host: Inspect, default: Inspect) -> Iterator[Option]:
    published = host.get("PortBindings") or {}
    for port, bindings in published.items():
        for binding in bindings or ():
            address = binding.get("HostIp") or ""
            before = f"[{address}]:" if ":" in address else f"{address}:" if address else ""
            yield Option("publish", f"{before}{binding.get('HostPort') or ''}:{port}")
    known = {*published, *(default.get("ExposedPorts") or {})}
    for port in config.get("ExposedPorts") or {}:
        if port not in known:
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
    for mount in container.get("Mounts") or ():
        if (
            mount["Type"] == "volume"
            and mount["Destination"] not in taken
            and not host.get("VolumesFrom")
        ):
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


def _networks(container: Inspect) -> list[tuple[str, list[Option]]]:
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
    found = [Option("alias", alias) for alias in endpoint.get("Aliases") or () if alias not in own]
    found += [Option("ip", wanted["IPv4Address"])] if wanted.get("IPv4Address") else []
    found += [Option("ip6", wanted["IPv6Address"])] if wanted.get("IPv6Address") else []
    return found


def _first_network(
    container: Inspect, networks: Sequence[tuple[str, list[Option]]], change: ContainerChange
) -> list[str]:
    """The network that `docker create` itself connects to."""
    if (
        any(word.partition("=")[0] in ("--network", "--net") for word in change.options)
        or "network" in change.without
    ):
        return []
    mode = str(container["HostConfig"].get("NetworkMode") or "default")
    if mode == "default":
        return []
    if not networks:
        return [f"--network={mode}"]
    name, options = networks[0]
    words = [f"--network={name}"]
    return words + [
        f"--network-{option.text[2:]}" if option.name == "alias" else option.text
        for option in options
    ]
