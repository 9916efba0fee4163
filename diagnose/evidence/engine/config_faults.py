"""What the installed engine refuses in its configuration file: by its own judgement, by ours, by its last words."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.config_keys import LENIENT, TYPES, Fault, faults_of, place
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.engine.log import DaemonLog
from diagnose.model import Failed, Unavailable
from diagnose.recording.questions import Host, question
from diagnose.registry import evidence

REFUSED = re.compile(
    r"unable to configure the Docker daemon with file (?P<file>[^:]+): (?P<why>.*)"
    r"|(?P<late>failed to set log opts: .*|invalid mirror: .*|specified default runtime .* does not exist"
    r"|runtime \S+: either .*|runtime name \S+ is reserved|insecure registry .* is not valid.*|conflict labels for .*"
    r"|You specified -b & --bip.*|Error during [ug]id lookup.*|[UG]id \d+ has no entry.*|opening seccomp profile .* failed.*"
    r"|could not get builder GC policy.*|failed to start metrics server: .*"
    r"|[Cc]ould not load X509 key pair.*|Error reading X509 key pair.*|[Cc]ould not read CA certificate .*"
    r"|failed to append certificates .*"
    r"|Unable to get the full path to root.*|can't create unix socket .*|auxiliary address: .* must belong .*"
    r"|unable to parse logging level: .*|native\.cgroupdriver option .*|failed to load listeners: group .*"
    r"|overlay2: unknown option .*|invalid CIDR address: .*|(?:could not construct local address space|invalid pools size).*)"
)
"""The last words of an engine that refused its configuration (seen on 20.10, 26.1 and 28.5). The later stages name no file."""
CONFIGURATION = "unable to configure the Docker daemon with file"
CONFLICT = "specified both as a flag and in the configuration file"
HINTS = (
    (r"insecure registry", "insecure-registries"),
    (r"conflict labels", "labels"),
    (r"--bip", "bip"),
    (r"[ug]id lookup|[UG]id \d+ has no entry", "userns-remap"),
    (r"seccomp profile", "seccomp-profile"),
    (r"builder GC", "builder"),
    (r"metrics server", "metrics-addr"),
    (r"X509 key pair", "tlscert"),
    (r"CA certificate|append certificates", "tlscacert"),
    (r"full path to root", "data-root"),
    (r"unix socket", "hosts"),
    (r"DefaultGateway", "default-gateway"),
    (r"Config(?:\.\w+)*?\.([a-z][a-z0-9-]+)", ""),
    (r"configuration option: ([\w.-]+)", ""),
    (r"default runtime", "default-runtime"),
    (r"runtime", "runtimes"),
    (r"mirror", "registry-mirrors"),
    (r"log opt", "log-opts"),
    (r"logging level", "log-level"),
    (r"pools size|address space", "default-address-pools"),
    (r"bind address", "hosts"),
    (r"cgroupdriver", "exec-opts"),
    (r"GenericResource", "node-generic-resources"),
    (r"overlay2: unknown option", "storage-opts"),
    (r"group \S+ not found", "group"),
    (r"attribute format", "labels"),
)
"""Patterns and the keys that they speak of, the first that is found; an empty key: the pattern's own group. Compiled when needed."""


class ConfigFaults(msgspec.Struct, frozen=True):
    """faults: none if the engine would start with this file. version: major, that the file was judged for, None if
    not known. validated: what `dockerd --validate` said (from engine 23.0), empty if it was not or could not be asked.
    said: the last words of a dead engine, if they are about its configuration; source: where they stand."""

    path: str
    faults: tuple[Fault, ...] = ()
    version: int | None = None
    validated: str = ""
    said: str = ""
    source: str = ""


class _File(msgspec.Struct):
    text: str = ""


class _Validated(msgspec.Struct):
    ok: bool
    text: str = ""


@evidence
def config_faults(
    host: Host, config: DaemonConfig, daemon: Daemon, ping: Ping | Unavailable, log: DaemonLog | Unavailable
) -> ConfigFaults | Unavailable:
    """The installed engine is asked where it can be (a program of root's that knows --validate starts nothing)."""
    said = log.last_failure if isinstance(log, DaemonLog) and daemon.is_down else None
    words = _refusal(said.text) if said else ""
    source = f"{log.source} {said.place}".strip() if said and words and isinstance(log, DaemonLog) else ""
    if not config.exists:
        missing = (Fault("", config.error, stage="text"),) if config.error else ()
        return ConfigFaults(config.path, missing, said=words, source=source)
    answer = host.ask(question("file.read", path=config.path))
    if isinstance(answer, Failed):
        return Unavailable.of(answer)
    text = msgspec.convert(answer, _File).text
    major = ping.version[0] if isinstance(ping, Ping) and ping.version != (0,) else _logged_version(log)
    program = (daemon.program or "").removesuffix(" (deleted)")
    judged = None
    if program and (major is None or major >= LENIENT):
        asked = host.ask(question("validate", dockerd=program, config=config.path))
        if not isinstance(asked, Failed):
            judged = msgspec.convert(asked, _Validated)
        elif major is None and "does not know --validate" in asked.detail:
            major = LENIENT - 1
    faults = faults_of(text, major)
    if judged is not None and judged.ok:
        faults = tuple(each for each in faults if each.stage == "value")
    verdict = _refusal(judged.text) if judged is not None and not judged.ok else ""
    told = [each for each in dict.fromkeys((verdict, words)) if each]
    if not faults and told:
        faults = tuple(_told(told, text))
    return ConfigFaults(config.path, faults, major, judged.text if judged else "", words, source)


def _refusal(text: str) -> str:
    """What a line says against the configuration; empty if it is about something else, or about flags."""
    match = REFUSED.search(text)
    if match is None or CONFLICT in text:
        return ""
    return match["why"] or match["late"]


def _told(texts: Iterable[str], file: str) -> Iterable[Fault]:
    """The engine's own words as a fault, at the key that they are about if that can be told."""
    for text in texts:
        key = next((name or match[1] for hint, name in HINTS if (match := re.search(hint, text))), "")
        if not key:
            quoted = re.findall(r"[\w./:-]{4,}", text)
            key = next((name for name in TYPES if any(f'"{each}"' in file and name in file for each in quoted)), "")
        if key:
            line, column = place(file, key)
        else:
            line, column = _torn(file) if "UTF-8" in text else (0, 0)
        if not line and REFUSED.search(text):
            continue  # a later stage of a start names no file: it may speak of the command line
        yield Fault(key if line else "", text, line, column)


def _torn(file: str) -> tuple[int, int]:
    """Where the first bytes stand that are no UTF-8; (0, 0) if none were read."""
    before, found, _ = file.partition("\ufffd")
    return (before.count("\n") + 1, len(before) - before.rfind("\n")) if found else (0, 0)


def _logged_version(log: DaemonLog | Unavailable) -> int | None:
    """The major version of the engine that last came up, from its line "Docker daemon"."""
    for line in reversed(log.lines if isinstance(log, DaemonLog) else ()):
        if line.message == "Docker daemon" and (match := re.match(r"\d+", line.fields.get("version", ""))):
            return int(match[0])
    return None
