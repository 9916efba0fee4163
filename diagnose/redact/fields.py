"""Secrets by field: what the shape of an answer says about its strings.

Keys are those of the Engine API (1.24 to 1.55), of the engine's files (config.v2.json, hostconfig.json, daemon.json), of a registry
client's config.json, and of our own answers. A key that is not listed is judged by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from diagnose.redact.commands import redact_words
from diagnose.redact.names import exempt, kind_of, words
from diagnose.redact.scanner import redact_value
from diagnose.redact.tokens import Mark

if TYPE_CHECKING:
    from diagnose.model import Json

Scan = Callable[[str], str]
Handler = Callable[[str, Any, Scan, Mark], Any]
"""Takes (key, value, free-text scanner, mark); gives the value without its secrets, the same object where nothing changed."""


def environment(_key: str, value: Json, scan: Scan, mark: Mark) -> Json:
    """A list of NAME=value, or a mapping, as in `Config.Env`."""
    if isinstance(value, dict):
        return mapping("", value, scan, mark)
    if not isinstance(value, list):
        return scan(value) if isinstance(value, str) else value
    out = [assignment(item, scan, mark) if isinstance(item, str) else item for item in value]
    return out if out != value else value


def assignment(item: str, scan: Scan, mark: Mark) -> str:
    """NAME=value with its value replaced if the name makes it a secret, scanned otherwise."""
    name, equals, value = item.partition("=")
    if not equals:
        return scan(item)
    new = named_value(name, value, scan, mark)
    return item if new == value else f"{name}={new}"


def named_value(name: str, value: str, scan: Scan, mark: Mark) -> str:
    """A string under a name."""
    if not value:
        return value
    kind = kind_of(name)
    if kind is None:
        return scan(value)
    if exempt(kind, name, value):
        return scan(value) if len(value) > 20 else value
    return redact_value(kind, name, value, mark)


def mapping(_key: str, value: Json, scan: Scan, mark: Mark) -> Json:
    """Name to string, as in labels, log options, driver options, build arguments; or a list of NAME=value."""
    if isinstance(value, list):
        return environment("", value, scan, mark)
    if not isinstance(value, dict):
        return value
    out = {
        name: named_value(name, item, scan, mark) if isinstance(item, str) else number(name, item, mark)
        for name, item in value.items()
    }
    return out if out != value else value


def number(name: str, value: Json, mark: Mark) -> Json:
    """A number under a secret's name: `"password": 12345`."""
    if value.__class__ is not int and value.__class__ is not float:
        return value
    kind = kind_of(name)
    if kind in ("password", "secret", "pin") and not exempt(kind, name, raw := str(value)):
        return mark(kind, raw, f'"{name}": {raw}')
    return value


def arguments(_key: str, value: Json, scan: Scan, mark: Mark) -> Json:
    """A command line as a list of words, as in `Cmd`, `Entrypoint`, `Args`, `Healthcheck.Test` and a process's cmdline."""
    if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
        return scan(value) if isinstance(value, str) else value
    line = redact_words(value, mark)
    out: list[str] = []
    pending: str | None = None
    for word in line:
        if pending is not None and word and (not word.startswith("-") or len(word) > 12):
            kind = kind_of(pending)
            if kind is not None and not exempt(kind, pending, word):
                out.append(redact_value(kind, pending, word, mark))
                pending = None
                continue
        pending = None
        if word.startswith("-"):
            name, equals, _ = word.partition("=")
            if equals:
                out.append(assignment(word, scan, mark))
                continue
            pending = name
        elif word in ("requirepass", "masterauth"):
            pending = word
        elif "=" in word and " " not in word.partition("=")[0]:
            out.append(assignment(word, scan, mark))
            continue
        out.append(scan(word))
    return out if out != value else value


def keep(_key: str, value: Json, _scan: Scan, _mark: Mark) -> Json:
    """What holds no secret and must stay as it is: ids, names, addresses, paths, times."""
    return value


_KEEP = words(
    "Id ID Created Image ImageID ImageManifestDescriptor ResolvConfPath HostnamePath HostsPath LogPath Name Names Driver Platform "
    "MountLabel ProcessLabel AppArmorProfile ExecIDs GraphDriver SandboxID SandboxKey EndpointID NetworkID Gateway IPAddress "
    "IPPrefixLen IPv6Gateway GlobalIPv6Address MacAddress DNSNames Ports PortBindings ExposedPorts HostIp HostPort Hostname "
    "Domainname User WorkingDir StartedAt FinishedAt Status RepoTags RepoDigests Parent ParentId RootFS Metadata Mountpoint "
    "NetworkMode IpcMode PidMode UTSMode CgroupnsMode UsernsMode Isolation MaskedPaths ReadonlyPaths Runtime CgroupParent "
    "CapAdd CapDrop SecurityOpt DockerVersion Os Architecture OperatingSystem OSVersion KernelVersion ServerVersion "
    "ContainerIDFile RestartPolicy VolumesFrom Source Destination Target Type Propagation Mode SecretName ConfigName SecretID "
    "ConfigID NodeID ServiceID ContainerID UpdatedAt CreatedAt ImageName Warnings DockerRootDir InitBinary CgroupDriver "
    "StopSignal Start End ClientVersion ApiVersion MinAPIVersion GitCommit GoVersion BuildTime Arch SystemTime"
)
_HANDLERS: Mapping[str, Handler] = {
    **dict.fromkeys(_KEEP, keep),
    **dict.fromkeys(("Env", "environ", "environment", "Environment"), environment),
    **dict.fromkeys(
        (
            "Labels",
            "labels",
            "Attributes",
            "DriverOpts",
            "Options",
            "BuildArgs",
            "log-opts",
            "Annotations",
            "Sysctls",
            "opts",
        ),
        mapping,
    ),
    **dict.fromkeys(
        ("Cmd", "Entrypoint", "Args", "Command", "Test", "cmdline", "argv", "args", "runtimeArgs"), arguments
    ),
}


def handler_of(key: str, engine: bool) -> Handler | None:
    """What is done with a value under a key of a known shape; `keep` holds for the engine's own answers only."""
    found = _HANDLERS.get(key)
    return None if found is keep and not engine else found
