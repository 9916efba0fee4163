"""Secrets by field: what the shape of an answer says about its strings.

Keys are those of the Engine API (1.24 to 1.55), of the engine's files (config.v2.json,
hostconfig.json, daemon.json), of a registry client's config.json, and of our own answers. A key
that is not listed is judged by its name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from diagnose.redact.commands import redact_words
from diagnose.redact.looks import exempt, is_mixed
from diagnose.redact.names import kind_of, names_users, unexplained
from diagnose.redact.patterns import Mark, lazy, words
from diagnose.redact.scanner import redact_text
from diagnose.redact.urls import plain_address
from diagnose.redact.values import redact_value

if TYPE_CHECKING:
    from diagnose.model import Json

_CLEAN_LIMIT = 50_000
"""Strings known to hold no secret that are remembered: what a host of 1,000 containers repeats, in
a few MB."""

_DEEPEST = 100
"""A value that is nested deeper is replaced whole: no answer of an engine comes near, and the
interpreter's own limit is 500."""
TOO_DEEP = "a value nested more than 100 deep"
"""What is remembered for such a value."""

_KEEP = words(
    "Id ID Created ImageID ImageManifestDescriptor ResolvConfPath HostnamePath HostsPath LogPath "
    "Driver Platform "
    "MountLabel ProcessLabel AppArmorProfile ExecIDs GraphDriver SandboxID SandboxKey EndpointID "
    "NetworkID Gateway "
    "IPAddress IPPrefixLen IPv6Gateway GlobalIPv6Address MacAddress DNSNames Ports PortBindings "
    "ExposedPorts HostIp "
    "HostPort Hostname Domainname User WorkingDir StartedAt FinishedAt RepoTags RepoDigests Parent "
    "ParentId "
    "RootFS Metadata Mountpoint NetworkMode IpcMode PidMode UTSMode CgroupnsMode UsernsMode "
    "Isolation MaskedPaths "
    "ReadonlyPaths Runtime CgroupParent CapAdd CapDrop SecurityOpt DockerVersion Os Architecture "
    "OperatingSystem "
    "OSVersion KernelVersion ServerVersion ContainerIDFile RestartPolicy VolumesFrom Source "
    "Destination Target Type "
    "Propagation Mode SecretName ConfigName SecretID ConfigID NodeID ServiceID ContainerID "
    "UpdatedAt CreatedAt "
    "ImageName Warnings DockerRootDir InitBinary CgroupDriver StopSignal Start End ClientVersion "
    "ApiVersion "
    "MinAPIVersion GitCommit GoVersion BuildTime Arch SystemTime"
)
_OPTION = lazy(r"--?[A-Za-z][\w.-]*|requirepass|masterauth")
_BARE = lazy(r"[a-z]+(?:[-_][a-z]+)+|[a-z]+token")
"""A word that says what the next one is without being an option: `aws configure set
aws_secret_access_key X`."""
_LOGINS = lazy(r"(?i)\b(?:basic|digest)_?auth\.(?:users|\w+$(?<!file|ealm|ader|ield))")
_LOGIN = lazy(r"((?:^|,)[^:,]+:(?:[^:,]+:)?|^)([^:,]{20,})")
"""Labels that give a proxy its accounts: `traefik...basicauth.users`, `caddy.basicauth.bob`."""
_ID = lazy(r"(?:sha256:)?[0-9a-f]{64}(?:-init)?")
"""An id of the engine's or a folder named by one: by the thousand in an answer about layers, and
never read as a secret by itself."""
_ID_LENGTHS = frozenset({64, 69, 71})
_LEAST_ID = min(_ID_LENGTHS)
_IDS = lazy(r"\b[0-9a-f]{64}\b")
_NAMES = words("Name Names Image")
_ENVIRONMENTS = words("Env environ environment Environment")
_MAPPINGS = words(
    "Labels labels Attributes DriverOpts Options BuildArgs log-opts Annotations Sysctls opts"
)
_COMMANDS = words("Cmd Entrypoint Args Command Test cmdline argv args runtimeArgs")
_OVERLAY = lazy(
    r"(?:(?:r[ow]|relatime|(?:lower|upper|work)dir=[\w./:-]+|(?:index|nfs_export|redirect_dir"
    r"|metacopy|xino|uuid|volatile|userxattr"
    r"|context)(?:=\w+)?)(?:,|$))+"
)
"""The options of an overlay, as the kernel shows them: its folders, a kilobyte for each container
that runs."""


# What is done with a value by its key; any other string in a plan is a kind of secret.
_Handler = Callable[["Walk", str, Any], Any]


class Plan(dict[str, "_Handler | str | None"]):
    """What is done with a value, by its key.

    A handler, the kind of secret that its name says it is, or None to go on.

    `engine`: the keys are the engine's own, so that ids, names, addresses and paths are kept
    unread. `suspicious` are keys that may be a secret themselves: a URL with a password, a token.
    """

    def __init__(self, engine: bool) -> None:
        super().__init__()
        self.suspicious: set[str] = set()
        if engine:
            self.update(dict.fromkeys(_KEEP, keep))
            self.update(dict.fromkeys(_NAMES, name))
        self.update(dict.fromkeys(_ENVIRONMENTS, environment))
        self.update(dict.fromkeys(_MAPPINGS, mapping))
        self.update(dict.fromkeys(_COMMANDS, arguments))
        self["super"] = mount_options

    def __missing__(self, key: str) -> str | None:
        todo = (
            _IDS().sub("", key) if len(key) >= _LEAST_ID else key
        )  # a host of 1,000 containers has 2,500 such keys
        kind = kind_of(todo)
        if "@" in key or (len(todo) > 24 and "." not in todo and "/" not in todo):
            self.suspicious.add(key)
        if len(self) < _CLEAN_LIMIT:
            self[key] = kind
        return kind


class Walk:
    """A walk through one answer; what held no secret is the same object afterwards.

    `clean` holds what was found to hold no secret in any answer of the run, `seen` gets the strings
    that were new to this one, `names` the names of containers and images.
    """

    __slots__ = ("_depth", "_plan", "clean", "mark", "names", "seen")

    def __init__(self, plan: Plan, mark: Mark, clean: set[object], names: set[str]) -> None:
        self._plan = plan
        self.mark = mark
        self.clean = clean
        self.names = names
        self.seen: list[str] = []
        self._depth = 0

    def value(self, old: Json) -> Json:
        """Any value."""
        if isinstance(old, dict):
            return self.dictionary(old)
        if isinstance(old, list):
            return self.items(old)
        return self.string(old) if isinstance(old, str) else old

    def string(self, old: str) -> str:
        """Free text."""
        if len(old) < 5 or old in self.clean:
            return old
        if len(old) in _ID_LENGTHS and _ID().fullmatch(old):
            self.seen.append(old)
            return old
        new = (plain_address(old, self.mark) if "://" in old else None) or redact_text(
            old, self.mark
        )
        self.seen.append(new)
        if new is old or new == old:
            self.remember(old)
        return new

    def remember(self, clean: object) -> None:
        """Takes note that a string, or the words of a command line, hold no secret."""
        if len(self.clean) > _CLEAN_LIMIT:
            self.clean.clear()
        self.clean.add(clean)

    def dictionary(self, old: dict[str, Any]) -> dict[str, Any]:
        """A mapping whose keys say what is done with their values."""
        if self._depth == _DEEPEST:
            return {"too deep": self.mark("unread", TOO_DEEP, "")}
        self._depth += 1
        try:
            return self._dictionary(old)
        finally:
            self._depth -= 1

    def _dictionary(self, old: dict[str, Any]) -> dict[str, Any]:
        new: dict[str, Any] | None = None
        plan = self._plan
        for key, item in old.items():
            if not item:
                continue
            cls = item.__class__
            if cls is bool:
                continue
            todo = plan[key]
            if todo is keep:
                continue
            if todo is None:
                if cls is str:
                    changed: Any = self.string(item)
                elif cls is dict:
                    changed = self.dictionary(item)
                elif cls is list:
                    changed = self.items(item)
                else:
                    continue
            elif todo.__class__ is str:
                changed = self.secret(key, item)
            else:
                changed = todo(self, key, item)  # type: ignore[operator]
            if changed is not item:
                if new is None:
                    new = dict(old)
                new[key] = changed
        if plan.suspicious and not plan.suspicious.isdisjoint(old):
            new = {self.string(key): item for key, item in (old if new is None else new).items()}
        if "value" in old or "Value" in old:
            return self.pair(old if new is None else new)
        return old if new is None else new

    def pair(self, old: dict[str, Any]) -> dict[str, Any]:
        """A mapping that holds a name and its value apart.

        {"name": "DB_PASSWORD", "value": "x"}.
        """
        for of_name, of_value in (
            ("name", "value"),
            ("Name", "Value"),
            ("key", "value"),
            ("Key", "Value"),
        ):
            label, item = old.get(of_name), old.get(of_value)
            if isinstance(label, str) and isinstance(item, str) and item:
                new = self.named(label, item)
                return old if new == item else {**old, of_value: new}
        return old

    def items(self, old: list[Any]) -> list[Any]:
        """A list of anything."""
        if self._depth == _DEEPEST:
            return [self.mark("unread", TOO_DEEP, "")]
        self._depth += 1
        try:
            return self._items(old)
        finally:
            self._depth -= 1

    def _items(self, old: list[Any]) -> list[Any]:
        new: list[Any] | None = None
        for index, item in enumerate(old):
            cls = item.__class__
            if cls is str:
                changed: Any = self.string(item)
            elif cls is dict:
                changed = self.dictionary(item)
            elif cls is list:
                changed = self.items(item)
            else:
                continue
            if changed is not item:
                if new is None:
                    new = list(old)
                new[index] = changed
        return old if new is None else new

    def secret(self, key: str, item: Any) -> Any:
        """What stands under a secret's name: a string or number is one.

        Of a list its strings; a mapping has names of its own.
        """
        if isinstance(item, str):
            return self.named(key, item)
        if isinstance(item, dict):
            return self.dictionary(item)
        if isinstance(item, list):
            new = [self.named(key, part) if isinstance(part, str) else part for part in item]
            return self.items(item if new == item else new)
        kind = kind_of(key)
        raw = str(item)
        if kind in ("password", "secret", "pin") and not exempt(kind, key, raw):
            return self.mark(kind, raw, f'"{key}": {raw}')
        return item

    def named(self, label: str, value: str) -> str:
        """A string under a name: a secret if the name says so, free text otherwise."""
        if not value:
            return value
        kind = kind_of(label)
        if kind is None:
            if len(value) < 5:
                return value
            logins, users = _accounts_under(label)
            if logins:
                return _LOGIN().sub(lambda m: m[1] + self.mark("password-hash", m[2], m[0]), value)
            if users and (":" in value or "|" in value):
                return redact_text(f"{label}={value}", self.mark)[len(label) + 1 :]
            return self.string(value)
        if exempt(kind, label, value):
            return self.string(value) if len(value) > 20 else value
        return redact_value(kind, label, value, self.mark, redact_text)

    def assignment(self, old: str) -> str:
        """NAME=value, as in an environment."""
        if old in self.clean:
            return old
        label, equals, value = old.partition("=")
        if not equals:
            return self.string(old)
        new = self.named(label, value)
        if new == value and unexplained(label, value):
            new = self.mark("key", value, old)
        if new == value:
            self.remember(old)
            return old
        return f"{label}={new}"


@lru_cache(maxsize=8192)
def _accounts_under(label: str) -> tuple[bool, bool]:
    """Whether a label gives a proxy its accounts.

    And whether a name says that an account stands under it.
    """
    return _LOGINS().search(label) is not None, names_users(label)


def keep(_walk: Walk, _key: str, item: Any) -> Any:
    """What holds no secret and must stay as it is: ids, addresses, paths, times."""
    return item


def name(walk: Walk, key: str, item: Any) -> Any:
    """A container's or an image's name: kept, and known as a name."""
    if isinstance(item, str):
        walk.names.add(item.lstrip("/"))
    elif isinstance(item, list):
        for part in item:
            name(walk, key, part)
    else:
        return walk.value(item)
    return item


def mount_options(walk: Walk, _key: str, item: Any) -> Any:
    """The options of a file system.

    Those of an overlay are its folders, anything else may hold a password (cifs).
    """
    if isinstance(item, str):
        return item if "lowerdir=/" in item and _OVERLAY().fullmatch(item) else walk.string(item)
    return walk.value(item)


def environment(walk: Walk, _key: str, item: Any) -> Any:
    """The environment, as in `Config.Env`.

    NAME=value in a list or in one string, or a mapping of names to values.
    """
    if isinstance(item, list):
        if not all(part.__class__ is str for part in item):
            return walk.items(item)
        new = [walk.assignment(part) for part in item]
        return item if new == item else new
    return mapping(walk, "", item)


def mapping(walk: Walk, _key: str, item: Any) -> Any:
    """Names of the user's own with their values.

    Labels, log options, driver options, build arguments.
    """
    if isinstance(item, dict):
        new: dict[str, Any] | None = None
        for label, value in item.items():
            if label.startswith("com.docker.compose."):
                continue  # names, paths and hashes; `token:service_started:true` is a service called token
            if value.__class__ is str:
                changed = walk.named(label, value)
            else:
                changed = walk.value({label: value})[label]
            if changed is not value and changed != value:
                if new is None:
                    new = dict(item)
                new[label] = changed
        return item if new is None else new
    return environment(walk, "", item) if isinstance(item, list) else walk.value(item)


_LONGEST_OPTION = 12
"""Characters of a word with one dash that may be an option: longer ones are values, keys mostly."""


def _kind_of_word(option: str, word: str) -> str | None:
    """The kind of secret that a word is as the value of the option before it, if it is one.

    option: "" where the word before is none.
    """
    if not option or not word:
        return None
    is_option_itself = word[0] == "-" and (len(word) <= _LONGEST_OPTION or word[1] == "-")
    if is_option_itself or not (_OPTION().fullmatch(option) or is_mixed(word)):
        return None
    kind = kind_of(option)
    return None if kind is None or exempt(kind, option, word) else kind


def _is_assignment(word: str) -> bool:
    label, equals, _ = word.partition("=")
    return bool(equals) and " " not in label and (word[0] == "-" or " " not in word)


def arguments(walk: Walk, _key: str, item: Any) -> Any:
    """A command line as a list of words.

    `Cmd`, `Entrypoint`, `Args`, `Healthcheck.Test`, a process's cmdline.
    """
    if item.__class__ is not list or not all(part.__class__ is str for part in item):
        return walk.value(item)
    key = tuple(item)
    if key in walk.clean:
        return item
    new: list[str] = []
    option = ""
    for word in redact_words(item, walk.mark):
        kind = _kind_of_word(option, word)
        if kind is not None:
            new.append(redact_value(kind, option, word, walk.mark, redact_text))
            option = ""
            continue
        option = word if _OPTION().fullmatch(word) or _BARE().fullmatch(word) else ""
        new.append(walk.assignment(word) if _is_assignment(word) else walk.string(word))
    if new == item:
        walk.remember(key)
        return item
    return new
