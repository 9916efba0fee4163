"""The treatment of a value by its key: kept, read as a command line, replaced as a secret.

Keys are those of the Engine API (1.24 to 1.55), of the engine's files (config.v2.json,
hostconfig.json, daemon.json), of a registry client's config.json, and of our own answers. A key
that is not listed is judged by its name.
"""

from typing import Any

from diagnose.lazy_pattern import LazyPattern
from diagnose.redact.commands import redact_words
from diagnose.redact.fields import Plan, Walk, keep
from diagnose.redact.looks import exempt, is_mixed
from diagnose.redact.names import kind_of
from diagnose.redact.scanner import redact_text
from diagnose.redact.values import redact_value
from diagnose.word_sets import vocabulary

_KEEP = vocabulary(
    "Id ID Created ImageID ImageManifestDescriptor ResolvConfPath HostnamePath HostsPath "
    "LogPath Driver Platform MountLabel ProcessLabel AppArmorProfile ExecIDs GraphDriver "
    "SandboxID SandboxKey EndpointID NetworkID Gateway IPAddress IPPrefixLen IPv6Gateway "
    "GlobalIPv6Address MacAddress DNSNames Ports PortBindings ExposedPorts HostIp HostPort "
    "Hostname Domainname User WorkingDir StartedAt FinishedAt RepoTags RepoDigests Parent "
    "ParentId RootFS Metadata Mountpoint NetworkMode IpcMode PidMode UTSMode CgroupnsMode "
    "UsernsMode Isolation MaskedPaths ReadonlyPaths Runtime CgroupParent CapAdd CapDrop "
    "SecurityOpt DockerVersion Os Architecture OperatingSystem OSVersion KernelVersion "
    "ServerVersion ContainerIDFile RestartPolicy VolumesFrom Source Destination Target Type "
    "Propagation Mode SecretName ConfigName SecretID ConfigID NodeID ServiceID ContainerID "
    "UpdatedAt CreatedAt ImageName Warnings DockerRootDir InitBinary CgroupDriver StopSignal "
    "Start End ClientVersion ApiVersion MinAPIVersion GitCommit GoVersion BuildTime Arch "
    "SystemTime"
)
_OPTION = LazyPattern(r"--?[A-Za-z][\w.-]*|requirepass|masterauth")
_BARE = LazyPattern(r"[a-z]+(?:[-_][a-z]+)+|[a-z]+token")
"""A word that says what the next one is without being an option: `aws configure set
aws_secret_access_key X`."""

_NAMES = vocabulary("Name Names Image")
_ENVIRONMENTS = vocabulary("Env environ environment Environment")
_MAPPINGS = vocabulary(
    "Labels labels Attributes DriverOpts Options BuildArgs log-opts Annotations Sysctls opts"
)
_COMMANDS = vocabulary("Cmd Entrypoint Args Command Test cmdline argv args runtimeArgs words")
_COUNTS = vocabulary("by files")
"""Where a walk through folders says how much is in each."""
_OVERLAY = LazyPattern(
    r"(?:(?:r[ow]|relatime|(?:lower|upper|work)dir=[\w./:-]+|(?:index|nfs_export|redirect_dir"
    r"|metacopy|xino|uuid|volatile|userxattr"
    r"|context)(?:=\w+)?)(?:,|$))+"
)
"""The options of an overlay, as the kernel shows them: its folders, a kilobyte for each container
that runs."""


def plan_of(*, of_engine: bool) -> Plan:
    """The plan for the values of answers, by their keys.

    of_engine: the keys are the engine's own, so that ids, names, addresses and paths are kept
    unread.
    """
    plan = Plan()
    if of_engine:
        plan.update(dict.fromkeys(_KEEP, keep))
        plan.update(dict.fromkeys(_NAMES, name))
    plan.update(dict.fromkeys(_ENVIRONMENTS, environment))
    plan.update(dict.fromkeys(_MAPPINGS, mapping))
    plan.update(dict.fromkeys(_COMMANDS, arguments))
    plan["super"] = mount_options
    plan.update(dict.fromkeys(_COUNTS, counts))
    return plan


def name(walk: Walk, key: str, value: Any) -> Any:
    """A container's or an image's name: kept, and known as a name."""
    if isinstance(value, str):
        walk.names.add(value.lstrip("/"))
    elif isinstance(value, list):
        for part in value:
            name(walk, key, part)
    else:
        return walk.value(value)
    return value


def mount_options(walk: Walk, _key: str, value: Any) -> Any:
    """The options of a file system.

    Those of an overlay are its folders, anything else may hold a password (cifs).
    """
    if isinstance(value, str):
        return value if "lowerdir=/" in value and _OVERLAY.fullmatch(value) else walk.string(value)
    return walk.value(value)


def counts(walk: Walk, _key: str, value: Any) -> Any:
    """Numbers by path: a folder may be called like a secret, and its size is none."""
    if not isinstance(value, dict) or not all(number.__class__ is int for number in value.values()):
        return walk.value(value)
    new = {walk.path(path): number for path, number in value.items()}
    return value if new == value else new


def environment(walk: Walk, _key: str, value: Any) -> Any:
    """The environment, as in `Config.Env`.

    NAME=value in a list or in one string, or a mapping of names to values.
    """
    if isinstance(value, list):
        if not all(part.__class__ is str for part in value):
            return walk.items(value)
        new = [walk.assignment(part) for part in value]
        return value if new == value else new
    return mapping(walk, "", value)


def mapping(walk: Walk, _key: str, holder: Any) -> Any:
    """Names of the user's own with their values.

    Labels, log options, driver options, build arguments.
    """
    if isinstance(holder, dict):
        new: dict[str, Any] | None = None
        for label, value in holder.items():
            if label.startswith("com.docker.compose."):
                continue  # names, paths and hashes; `token:service_started:true` is a service called token
            if value.__class__ is str:
                changed = walk.named(label, value)
            else:
                changed = walk.value({label: value})[label]
            if changed is not value and changed != value:
                if new is None:
                    new = dict(holder)
                new[label] = changed
        return holder if new is None else new
    return environment(walk, "", holder) if isinstance(holder, list) else walk.value(holder)


_LONGEST_OPTION = 12
"""Characters of a word with one dash that may be an option: longer ones are usually keys."""


def _kind_of_word(option: str, word: str) -> str | None:
    """The kind of secret that a word is as the value of the option before it, if it is one.

    option: "" where the word before is none.
    """
    if not option or not word:
        return None
    is_short = len(word) <= _LONGEST_OPTION
    if word.startswith("--") or (word[0] == "-" and is_short):
        return None
    if not _OPTION.fullmatch(option) and not is_mixed(word):
        return None
    kind = kind_of(option)
    return kind if kind is not None and not exempt(kind, option, word) else None


def _is_assignment(word: str) -> bool:
    label, equals, _ = word.partition("=")
    if not equals or " " in label:
        return False
    return word[0] == "-" or " " not in word


def arguments(walk: Walk, _key: str, value: Any) -> Any:
    """A command line as a list of words.

    `Cmd`, `Entrypoint`, `Args`, `Healthcheck.Test`, a process's cmdline.
    """
    if value.__class__ is not list or not all(part.__class__ is str for part in value):
        return walk.value(value)
    key = tuple(value)
    if key in walk.clean:
        return value
    new: list[str] = []
    option = ""
    for word in redact_words(value, walk.mark):
        kind = _kind_of_word(option, word)
        if kind is not None:
            new.append(redact_value(kind, option, word, walk.mark, redact_text))
            option = ""
            continue
        option = word if _OPTION.fullmatch(word) or _BARE.fullmatch(word) else ""
        new.append(walk.assignment(word) if _is_assignment(word) else walk.string(word))
    if new == value:
        walk.remember(key)
        return value
    return new
