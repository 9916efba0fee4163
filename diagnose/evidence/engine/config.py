"""The daemon's configuration in its file and on its command line."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

import msgspec
from msgspec.structs import replace

from diagnose.evidence.engine.installed.packaging import packaging
from diagnose.evidence.engine.log import daemon_log
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import assignments
from diagnose.model import Failed, Json, Unavailable
from diagnose.questions import Host
from diagnose.questions.endpoint import FindEndpoint, FindLocality, Rootless
from diagnose.questions.files import ReadFile
from diagnose.questions.processes import InspectProcess, ProcessDetail
from diagnose.questions.service import ReadUnit
from diagnose.registry import evidence

__all__ = [
    "DEFAULT_PATH",
    "KEY_OF_FLAG",
    "LISTS",
    "MAPS",
    "RELOADED",
    "SHORT_FLAGS",
    "DaemonConfig",
    "Parsed",
    "Rootless",
    "daemon_config",
    "key_of",
    "parse_flags",
    "parse_text",
    "rootless",
]

DEFAULT_PATH = "/etc/docker/daemon.json"
RELOADED = frozenset(
    {
        "debug", "labels", "live-restore", "insecure-registries", "registry-mirrors",
        "default-runtime", "runtimes", "features",
        "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
        "shutdown-timeout",
    }
)  # fmt: skip
"""Settings that a SIGHUP applies; all others need a restart. Of `features` it applies some only:
the image store is chosen at the start."""

SHORT_FLAGS: Mapping[str, str] = {
    "D": "debug",
    "G": "group",
    "H": "host",
    "b": "bridge",
    "g": "data-root",
    "l": "log-level",
    "p": "pidfile",
    "s": "storage-driver",
}
"""dockerd's one-letter flags (cmd/dockerd/options.go, engines 20.10 to 28)."""

KEY_OF_FLAG: Mapping[str, str] = {
    "add-runtime": "runtimes",
    "authorization-plugin": "authorization-plugins",
    "default-address-pool": "default-address-pools",
    "default-network-opt": "default-network-opts",
    "default-ulimit": "default-ulimits",
    "dns-opt": "dns-opts",
    "exec-opt": "exec-opts",
    "graph": "data-root",
    "host": "hosts",
    "insecure-registry": "insecure-registries",
    "label": "labels",
    "log-opt": "log-opts",
    "node-generic-resource": "node-generic-resources",
    "registry-mirror": "registry-mirrors",
    "storage-opt": "storage-opts",
}
"""Flags that may be repeated, and one old name, with the key that means the same in the file;
others are of the same name."""

WHOLE = frozenset(
    {"log-opts", "runtimes", "default-ulimits", "features", "builder", "default-network-opts"}
)
"""Objects that are one setting; each entry of any other object is a setting by itself (dockerd's
flattening)."""
NOT_COMPARED = frozenset({"runtimes", "config-file", "validate"})
"""Settings that may be both in the file and on the command line."""

LISTS = frozenset({"dns", "dns-search", *KEY_OF_FLAG.values()}) - {"data-root"}
MAPS = frozenset({"default-network-opts", "log-opts", "runtimes"})


class DaemonConfig(msgspec.Struct, frozen=True):
    """The configuration file and command line of a daemon, without judgement."""

    path: str
    """The file that it reads."""
    exists: bool = False
    """Whether there is one (without --config-file none is needed)."""
    text_ok: bool = True
    """Whether the file is absent or holds one JSON object."""
    error: str = ""
    """The reason why it does not."""
    values: Mapping[str, Json] = msgspec.field(default_factory=dict)
    """The file's keys; empty when the file cannot be parsed."""
    flags: Mapping[str, list[str]] = msgspec.field(default_factory=dict)
    """Long name without dashes -> values in order, "true" for a flag without one."""
    mtime: float | None = None
    """Unix time of the last edit."""
    source: str = "default"
    """The source of the command line, "process 812", "unit docker.service", or "default" when
    neither could be read."""
    pid: int | None = None
    started: float | None = None
    """Seconds since the host's boot at which the daemon started, if it runs."""

    def in_file(self, key: str) -> Json:
        """The file's value of a key; None without one."""
        return self.values.get(key)

    def on_command_line(self, key: str) -> Json:
        """The command line's value of a key of the file; None without one.

        Typed as in the file: list, map, bool, text.
        """
        values_of_flag = [
            value for flag, values in self.flags.items() if key_of(flag) == key for value in values
        ]
        if not values_of_flag:
            return None
        if key in MAPS:
            return assignments(values_of_flag)
        if key in LISTS:
            return values_of_flag
        return {"true": True, "false": False}.get(values_of_flag[-1], values_of_flag[-1])

    def value(self, key: str) -> Json:
        """The value in force under a key.

        The command line's, else the file's, else None (the default).

        The engine refuses to start when both say something, so that the order matters only for a
        file that was edited since.
        """
        flag_values = self.on_command_line(key)
        return self.in_file(key) if flag_values is None else flag_values

    @property
    def writes_rules(self) -> bool:
        """Whether the engine writes its rules of iptables; false where it is configured not to."""
        return self.value("iptables") is not False

    @property
    def starts_proxies(self) -> bool:
        """Whether docker-proxy listens on each published port; false where that is switched off."""
        return self.value("userland-proxy") is not False

    @property
    def keys_in_both(self) -> list[str]:
        """The settings that the file and the command line both have, which the engine refuses."""
        flags = {key_of(flag) for flag in self.flags} - NOT_COMPARED
        return sorted(set(_settings(self.values)) & flags)

    def where(self, key: str) -> str:
        """The place of the value in force, for evidence.

        The file's path, `dockerd --flag`, or "default".
        """
        for flag in self.flags:
            if key_of(flag) == key:
                return f"dockerd --{flag}"
        return self.path if key in self.values else "default"


def _settings(values: Mapping[str, Json]) -> Iterator[str]:
    for key, value in values.items():
        yield key
        if isinstance(value, dict) and key not in WHOLE:
            yield from value


def key_of(flag: str) -> str:
    """The configuration file's key for a long flag."""
    return KEY_OF_FLAG.get(flag, flag)


def parse_flags(words: Sequence[str]) -> dict[str, list[str]]:
    """The values of dockerd's flags by their long names: `-H unix://x` is {"host": ["unix://x"]}.

    A flag without a value behind = takes the next word (pflag), unless that is a flag too: then it
    is a switch, and its value "true".
    """
    flags: dict[str, list[str]] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("-") or word in ("-", "--"):
            continue
        name, value = _flag_and_value(word)
        if value is None:
            value = rest.pop(0) if rest and not rest[0].startswith("-") else "true"
        flags.setdefault(name, []).append(value)
    return flags


def _flag_and_value(word: str) -> tuple[str, str | None]:
    """The long name of `--log-level=info`, `-l=info` or `-linfo`, and its value if it has one."""
    if word.startswith("--"):
        name, equals, value = word.removeprefix("--").partition("=")
        return name, value if equals else None
    name = word[1]
    value = word[2:].removeprefix("=")
    return SHORT_FLAGS.get(name, name), value if len(word) > 2 else None


class Parsed(msgspec.Struct, frozen=True):
    """A configuration text, read strictly; the position of the error counts from 1."""

    values: dict[str, Json]
    error: str = ""
    line: int = 0
    column: int = 0


def parse_text(text: str) -> Parsed:
    """Read a daemon.json as strictly as the engine.

    No comments, no trailing comma, no byte order mark, one object.

    Engines from 23.0 take a byte order mark and an empty file; 20.10 refuses both.
    """

    def constant(name: str) -> Any:
        raise ValueError(f"{name} is not JSON")

    if not text.strip():
        return Parsed({}, error="the file is empty", line=1, column=1)
    try:
        value = json.loads(text, parse_constant=constant)
    except json.JSONDecodeError as error:
        return Parsed({}, error=error.msg, line=error.lineno, column=error.colno)
    except (ValueError, RecursionError) as error:
        return Parsed({}, error=str(error))
    if not isinstance(value, dict):
        return Parsed(
            {}, error=f"a JSON object is needed, not {type(value).__name__}", line=1, column=1
        )
    return Parsed(value)


def rootless(host: Host) -> Rootless | None:
    """The user whose own engine is asked.

    None for the system's, or for an engine without a record of that.
    """
    endpoint = host.ask(FindEndpoint())
    return None if isinstance(endpoint, Failed) else endpoint.rootless


_UNKNOWN_PLACE = "it is not known where the user of this rootless engine keeps its daemon.json"


@evidence
def daemon_config(host: Host) -> DaemonConfig | Unavailable:
    """The file that the running daemon reads, or its unit names.

    An absent file is an empty configuration.

    A dead engine without a unit says in its log which file it refused. A dead rootless engine has
    no unit that is asked: its user's file counts, if there ever was an engine of that user.
    """
    place = host.require(FindLocality())
    if not place.same_host:
        return Unavailable("remote", place.why)
    rootless_engine = rootless(host)
    line = _command_line(host, place.engine_pid, rootless_engine)
    flags = parse_flags(line.arguments)
    path = flags["config-file"][-1] if "config-file" in flags else line.file
    if rootless_engine is not None and rootless_engine.traces is False and line.source == "default":
        return Unavailable(
            "missing", f"nothing of a rootless engine of user {rootless_engine.uid} lies here"
        )
    if path is None:
        return Unavailable("missing", _UNKNOWN_PLACE)
    if line.source == "default" and rootless_engine is None:
        path = _refused_file(host) or path
    bare = DaemonConfig(
        path, flags=flags, source=line.source, pid=place.engine_pid, started=line.started
    )
    file = host.ask(ReadFile(path))
    if isinstance(file, Failed):
        return _config_without_file(bare, file)
    if file.truncated:
        return Unavailable("too large", f"{path} is longer than is read")
    parsed = parse_text(file.text)
    return replace(
        bare,
        exists=True,
        text_ok=not parsed.error,
        error=parsed.error,
        values=parsed.values,
        mtime=file.mtime,
    )


def _config_without_file(bare: DaemonConfig, refusal: Failed) -> DaemonConfig | Unavailable:
    """The configuration without its file: empty, wrong, or not known, by why it was not read."""
    if refusal.reason == "malformed":
        return replace(bare, text_ok=False, error=refusal.detail.removeprefix(f"{bare.path} "))
    if refusal.reason == "missing":
        if "config-file" not in bare.flags:
            return bare
        return replace(
            bare, text_ok=False, error="the file that --config-file names does not exist"
        )
    detail = refusal.detail if bare.path in refusal.detail else f"{bare.path}: {refusal.detail}"
    return Unavailable(refusal.reason, detail)


class _CommandLine(msgspec.Struct, frozen=True):
    """The command line of dockerd, of its process or of its unit."""

    file: str | None
    """The configuration file that it reads unless an argument names one; None if not known."""
    arguments: Sequence[str] = ()
    source: str = "default"
    """The source of the arguments: "process PID", "unit NAME", or "default" for none."""
    started: float | None = None
    """Seconds after the boot."""


def _command_line(host: Host, pid: int | None, rootless_engine: Rootless | None) -> _CommandLine:
    """The command line of the process if it can be read, else that of the unit."""
    if pid is not None:
        process = host.ask(InspectProcess(pid))
        if not isinstance(process, Failed) and process.cmdline:
            file = _default_path(process, rootless_engine)
            started = process.start or None
            return _CommandLine(file, process.cmdline[1:], f"process {pid}", started)
    if rootless_engine is not None:
        return _CommandLine(rootless_engine.config)
    kind = packaging(host)
    unit = host.ask(ReadUnit(kind.unit))
    words = _exec_start(unit.exec_start) if not isinstance(unit, Failed) else []
    if not words:
        return _CommandLine(kind.config)
    return _CommandLine(kind.config, words, f"unit {kind.unit}")


_REFUSED = LazyPattern(r"unable to configure the Docker daemon with file (/[^\s:]{1,300}):")


def _refused_file(host: Host) -> str:
    """The file with which the engine's newest start ended; "" for another end."""
    log = daemon_log(host)
    if isinstance(log, Unavailable) or log.last_failure is None:
        return ""
    match = _REFUSED.search(log.last_failure.text)
    return match[1] if match else ""


def _exec_start(text: str) -> list[str]:
    """The arguments in systemd's `{ path=...

    ; argv[]=/usr/bin/dockerd -H fd:// ; ignore_errors=no ; ... }`.
    """
    line = text.partition("argv[]=")[2].partition(" ; ")[0]
    try:
        return shlex.split(line)[1:]
    except ValueError:
        return line.split()[1:]


def _default_path(process: ProcessDetail, rootless_engine: Rootless | None) -> str | None:
    """A rootless daemon reads its user's file ($XDG_CONFIG_HOME, else ~/.config).

    None where that is not known.
    """
    if not process.uid:
        return DEFAULT_PATH
    variables = process.variables
    folder = variables.get("XDG_CONFIG_HOME") or (
        f"{variables['HOME']}/.config" if variables.get("HOME") else ""
    )
    if folder:
        return str(PurePosixPath(folder, "docker/daemon.json"))
    if rootless_engine is None or rootless_engine.uid != process.uid:
        return None
    return rootless_engine.config
