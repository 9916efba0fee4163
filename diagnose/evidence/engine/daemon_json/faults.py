"""Faults in the engine's configuration file, by `dockerd --validate`, our rules and the log."""

import json
import re
from collections.abc import Iterable, Iterator

import msgspec

from diagnose.evidence.engine.config import DaemonConfig, parse_text
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.daemon_json.file_repair import FileRepair, file_repair
from diagnose.evidence.engine.daemon_json.keys import LENIENT, TYPES
from diagnose.evidence.engine.daemon_json.other_text import as_json, form_of
from diagnose.evidence.engine.daemon_json.refusals import faults_of
from diagnose.evidence.engine.daemon_json.syntax import Fault, Position, place
from diagnose.evidence.engine.info import Ping
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.machine.clock import Clock
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Failed, Unavailable
from diagnose.questions import Host
from diagnose.questions.files import FileText, ReadFile
from diagnose.questions.service import ValidateConfig, Validation
from diagnose.registry import begun_early, evidence

REFUSED = LazyPattern(
    r"""
    unable[ ]to[ ]configure[ ]the[ ]Docker[ ]daemon[ ]with[ ]file[ ] (?P<file>[^:]{1,300}):[ ] (?P<why>.*)
    | (?P<late>                                         # what is read later, without the file's name:
        failed[ ]to[ ]set[ ]log[ ]opts:[ ].*
        | invalid[ ]mirror:[ ].*
        | specified[ ]default[ ]runtime[ ].{0,1000}[ ]does[ ]not[ ]exist
        | runtime[ ]\S+:[ ]either[ ].* | runtime[ ]name[ ]\S+[ ]is[ ]reserved
        | insecure[ ]registry[ ].{0,1000}[ ]is[ ]not[ ]valid.*
        | conflict[ ]labels[ ]for[ ].*
        | You[ ]specified[ ]-b[ ]&[ ]--bip.*
        | Error[ ]during[ ][ug]id[ ]lookup.* | [UG]id[ ]\d+[ ]has[ ]no[ ]entry.*   # userns-remap
        | opening[ ]seccomp[ ]profile[ ].{0,1000}[ ]failed.*
        | could[ ]not[ ]get[ ]builder[ ]GC[ ]policy.*
        | failed[ ]to[ ]start[ ]metrics[ ]server:[ ].*
        | [Cc]ould[ ]not[ ]load[ ]X509[ ]key[ ]pair.* | Error[ ]reading[ ]X509[ ]key[ ]pair.*
        | [Cc]ould[ ]not[ ]read[ ]CA[ ]certificate[ ].* | failed[ ]to[ ]append[ ]certificates[ ].*
        | Unable[ ]to[ ]get[ ]the[ ]full[ ]path[ ]to[ ]root.*
        | can't[ ]create[ ]unix[ ]socket[ ] (?! .{0,1000} is[ ]a[ ]directory ) .*
        | auxiliary[ ]address:[ ].{0,1000}[ ]must[ ]belong[ ].*    # bip and default-address-pools
        | unable[ ]to[ ]parse[ ]logging[ ]level:[ ].*
        | native\.cgroupdriver[ ]option[ ].*
        | failed[ ]to[ ]load[ ]listeners:[ ]group[ ].*
        | overlay2:[ ]unknown[ ]option[ ].*
        | invalid[ ]CIDR[ ]address:[ ].*
        | (?: could[ ]not[ ]construct[ ]local[ ]address[ ]space | invalid[ ]pools[ ]size ) .*
    )
    """,
    re.VERBOSE,
)
"""The last words of an engine that refused its configuration (seen on 20.10, 26.1 and 28.5). The
later stages name no file."""
CONFIGURATION = "unable to configure the Docker daemon with file"
CONFLICT = "specified both as a flag and in the configuration file"
NO_PROXY_PROGRAM = "userland-proxy-path is not set"
"""The engine's error about its PATH, which is not about the file."""
_NO_VALIDATE = "does not know --validate"
DELETED = " (deleted)"
"""Suffix of the path of a program whose file was replaced, as the kernel shows it."""
CLOCKS_DIFFER_S = 0.1
"""Seconds by which the start of a process and the time of a file may differ from the truth:
one is counted from the boot."""
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
"""Patterns and the keys that they are about, the first that is found; an empty key: the pattern's
own group. Compiled when needed."""


class ConfigFaults(msgspec.Struct, frozen=True):
    """The faults of a configuration file that keep an engine from starting."""

    path: str
    faults: tuple[Fault, ...] = ()
    """None if the engine would start with this file."""
    version: int | None = None
    """Major version that the file was judged for (20 for 20.10); None if not known."""
    judged_for: str = "any version"
    """The version in words."""
    validated: str = ""
    """The output of `dockerd --validate` (from engine 23.0); empty if it was not or could not be
    asked."""
    refusal: str = ""
    """The last words of a dead engine, if they are about its configuration."""
    source: str = ""
    """The source of the refusal."""
    file_repair: FileRepair | None = None
    """Edits after which the engine would start, where none of them requires a decision."""
    form: str = ""
    """The format of a file that holds no JSON at all: "an HTML page"."""
    rewritten: str = ""
    """Its settings as JSON, where they can be had."""


class _Version(msgspec.Struct, frozen=True):
    major: int | None
    text: str


@begun_early
@evidence
def config_faults(
    host: Host,
    config: DaemonConfig,
    daemon: Daemon,
    ping: Ping | Unavailable,
    log: DaemonLog | Unavailable,
    clock: Clock | None,
) -> ConfigFaults | Unavailable:
    """The faults in the engine's configuration.

    The installed engine is asked where it can be: a program of root's that knows --validate, which
    starts nothing. A running engine that was started with this file has accepted it already.
    """
    refusal = _logged_refusal(daemon, log if isinstance(log, DaemonLog) else None)
    if not config.exists:
        missing = (Fault("", config.error, stage="text"),) if config.error else ()
        return ConfigFaults(config.path, missing, refusal=refusal.words, source=refusal.source)
    file = host.require(ReadFile(config.path))
    if refusal.is_before(file):
        refusal = _LoggedRefusal()
    version = _known_version(ping, log)
    if _is_in_force(file, config, daemon, clock):
        validated: Validation | None = Validation(ok=True)
    else:
        answer = _validation_of(host, daemon, config.path, version)
        validated = answer if isinstance(answer, Validation) else None
        if isinstance(answer, Failed) and version.major is None and _NO_VALIDATE in answer.detail:
            version = _Version(LENIENT - 1, f"older than {LENIENT}.0")
    faults = _faults(file.text, version, validated, refusal.words)
    return ConfigFaults(
        config.path,
        faults=faults,
        version=version.major,
        judged_for=version.text,
        validated=validated.text if validated is not None else "",
        refusal=refusal.words,
        source=refusal.source,
        file_repair=file_repair(file.text, version.major) if faults else None,
        form=form_of(file.text) if faults else "",
        rewritten=as_json(file.text) if faults else "",
    )


def _faults(
    text: str, version: _Version, validated: Validation | None, words: str
) -> tuple[Fault, ...]:
    """The faults by our own reading of the file, or the engine's words where we find none.

    words: the last words of a stopped engine against its configuration.
    """
    faults = faults_of(text, version.major)
    refusals = [words]
    if validated is not None and validated.ok:
        faults = tuple(fault for fault in faults if fault.stage == "value")
    elif validated is not None:
        refusals = [_refusal(validated.text), words]
    if faults:
        return faults
    return tuple(_faults_in_words(filter(None, dict.fromkeys(refusals)), text))


class _LoggedRefusal(msgspec.Struct, frozen=True):
    """The last log line in which a stopped engine refuses its configuration; empty without one."""

    words: str = ""
    source: str = ""
    """The source of the words."""
    at: float | None = None
    """Unix time of the line, None where it has none."""

    def is_before(self, file: FileText) -> bool:
        """Whether the file was written since, so that the words may be about its former text."""
        return self.at is not None and file.ctime is not None and self.at < file.ctime


def _logged_refusal(daemon: Daemon, log: DaemonLog | None) -> _LoggedRefusal:
    if log is None or not daemon.is_down:
        return _LoggedRefusal()
    last = log.last_failure
    if last is None:
        return _LoggedRefusal()
    words = _refusal(last.text)
    return _LoggedRefusal(words, log.where(last), last.at) if words else _LoggedRefusal()


def _is_in_force(file: FileText, config: DaemonConfig, daemon: Daemon, clock: Clock | None) -> bool:
    """Whether the engine that answers was started with this very file.

    To ask its program again costs 40 ms of CPU. An engine of another version may judge otherwise:
    its file has then replaced that of the running program, which is deleted.
    """
    program = daemon.installation.program or ""
    if not daemon.answers or not program or program.endswith(DELETED):
        return False
    if clock is None or file.ctime is None or config.started is None:
        return False
    return file.ctime + CLOCKS_DIFFER_S < clock.booted + config.started


def _validation_of(
    host: Host, daemon: Daemon, path: str, version: _Version
) -> Validation | Failed | None:
    """The engine's own verdict on the file at this path.

    Engines before 23.0 have none. Where the engine finds no docker-proxy in the PATH that it is
    given here, it says nothing of the file.
    """
    program = (daemon.installation.program or "").removesuffix(DELETED)
    if not program or (version.major is not None and version.major < LENIENT):
        return None
    answer = host.ask(ValidateConfig(dockerd=program, config=path))
    is_of_proxy = not isinstance(answer, Failed) and NO_PROXY_PROGRAM in answer.text
    return None if is_of_proxy else answer


def _refusal(text: str) -> str:
    """The reason in a log line that refuses the configuration.

    Empty for a line about something else, or about flags.
    """
    match = REFUSED.search(text)
    if match is None or CONFLICT in text or NO_PROXY_PROGRAM in text:
        return ""
    return match["why"] or match["late"]


def _faults_in_words(texts: Iterable[str], file: str) -> Iterator[Fault]:
    """The engine's own words as a fault, at the key that they are about if that is known."""
    for text in texts:
        key = _hinted_key(text) or _quoted_key(text, file)
        line, column = _position(file, key, text)
        if not line and REFUSED.search(text):
            continue  # a later stage of a start names no file: it may mean the command line
        yield Fault(key if line else "", text, line, column)


def _hinted_key(text: str) -> str:
    """The only key to which the engine's words can refer; empty for other words."""
    for hint, name in HINTS:
        match = re.search(hint, text)
        if match is not None:
            return name or match[1]
    return ""


def _quoted_key(text: str, file: str) -> str:
    """The first key of the file that the engine's words repeat, itself or its value; else empty."""
    words = [f'"{word}"' for word in re.findall(r"[\w./:-]{4,}", text)]
    for key, value in parse_text(file).values.items():
        entry = json.dumps({key: value}, ensure_ascii=False)
        if key in TYPES and any(word in entry for word in words):
            return key
    return ""


def _position(file: str, key: str, text: str) -> Position:
    """The position of the key, or of the first bytes that are not UTF-8."""
    if key:
        return place(file, key)
    torn = file.find("\ufffd") if "UTF-8" in text else -1
    return Position.at(file, torn) if torn >= 0 else Position()


def _known_version(ping: Ping | Unavailable, log: DaemonLog | Unavailable) -> _Version:
    """The version of the engine that answers.

    Without an answer, of the one that last came up, from its line "Docker daemon".
    """
    if isinstance(ping, Ping) and ping.version != (0,):
        return _Version(ping.version[0], ping.engine_version)
    for line in reversed(log.lines if isinstance(log, DaemonLog) else ()):
        version = line.fields.get("version", "")
        if line.message == "Docker daemon" and (match := re.match(r"\d+", version)):
            return _Version(int(match[0]), version)
    return _Version(None, "any version")
