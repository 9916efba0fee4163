"""Containers that do not start: the engine, the kernel or the program itself refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from checks.container._words import APPLICATION_CAUSES, PEER_CAUSES, QUOTED, peers, quoted, took, words_of
from diagnose.evidence.clock import Clock
from diagnose.evidence.containers import Container, Containers
from diagnose.evidence.events import Events
from diagnose.evidence.info import Info
from diagnose.evidence.last_words import LastWords
from diagnose.evidence.options import Options
from diagnose.evidence.programs import Program, Programs
from diagnose.model import DAEMON, Finding, Seconds, Severity, Unavailable
from diagnose.registry import check
from diagnose.signs import signs

ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}
"""What `/info` calls an architecture -> what images call it."""


def _failed_start(each: Container, reason: str, **variables: str) -> Finding:
    """A start that the engine refused: its own words are the proof."""
    return Finding(
        subject=each.subject,
        summary=f"{each.short} did not start: {reason}",
        evidence={
            "State": f"{each.state.status}, exit code {each.state.exit_code}",
            "State.Error": each.state.error,
        },
        variables={"container": each.short, **variables},
        signs=signs(each.state.error),
        service=each.service,
    )


def _named(each: Container, program: str) -> dict[str, str]:
    """The runbook's variables for a program in a container; file is how `docker cp` names it."""
    return {
        "container": each.short,
        "program": program,
        "image": each.config.image,
        "file": f"{each.short}:{program}",
    }


@check("container.entrypoint-missing", severity=Severity.critical, caused_by=["container.mount-source-missing"])
def entrypoint_missing(containers: Containers) -> Iterable[Finding]:
    """The program that a container is to run does not exist in its image.

    The engine answers 127 also for a file that is mounted over a directory ("not a directory"), which is another
    problem. Seen on engines 20.10.24, 26.1.5 and 28.5.2: the container stays `created`, only inspect has the error.
    """
    for container in containers:
        error = container.state.error
        if container.start_failed and ("executable file not found" in error or _stat_failed(error)):
            program = container.path or (container.command or ["?"])[0]
            yield _failed_start(container, f"its image has no {program}", program=program, image=container.config.image)


def _stat_failed(error: str) -> bool:
    return 'exec: "' in error and "no such file or directory" in error


@check("container.entrypoint-forbidden", severity=Severity.critical)
def entrypoint_forbidden(containers: Containers) -> Iterable[Finding]:
    """The program that a container is to run may not be executed.

    No x bit, a directory, or a mount with noexec. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 126, state
    `created`.
    """
    for container in containers:
        error = container.state.error
        if (
            container.start_failed
            and 'exec: "' in error
            and ("permission denied" in error or "is a directory" in error)
        ):
            program = container.path
            yield _failed_start(container, f"{program} may not be executed", **_named(container, program))


def _refused(each: Container, program: Program, summary: str, **evidence: str) -> Finding:
    """A program that the kernel refused: only the container's log tells."""
    return Finding(
        subject=each.subject,
        summary=summary,
        evidence={
            "State": f"{each.state.status}, exit code {each.state.exit_code}",
            "log": program.line[:QUOTED],
            **evidence,
        },
        variables=_named(each, program.path),
        onset=each.finished_at,
        service=each.service,
    )


@check("container.exec-format", severity=Severity.critical, caused_by=["image.platform-mismatch"])
def exec_format(containers: Containers, programs: Programs, info: Info | Unavailable) -> Iterable[Finding]:
    """The kernel cannot execute the program that a container is to run.

    Built for another architecture (its ELF header says which), or a script without `#!`. The engine's state says
    exit code 1, or 255 with some versions of runc, and nothing else; the text is in the log, so a container whose
    log cannot be read is not judged.
    """
    host = "" if isinstance(info, Unavailable) else ARCHITECTURES.get(info.architecture, info.architecture)
    for each in containers:
        program = programs.by_id.get(each.id)
        if program is None or program.why != "exec format error":
            continue
        if program.machine and program.machine != host:
            here = f", this host is {host}" if host else ""
            yield _refused(
                each,
                program,
                f"{each.short} cannot run: {program.path} is built for {program.machine}{here}",
                **{"first bytes of the program": f"ELF, {program.machine}"},
            )
        elif program.known and not program.machine and not program.interpreter:
            yield _refused(
                each,
                program,
                f"{each.short} cannot run: {program.path} is a script without a #! line",
                **{"first bytes of the program": "neither ELF nor #!"},
            )
        else:
            yield _refused(
                each, program, f"{each.short} cannot run: the kernel does not know the format of {program.path}"
            )


@check("container.interpreter-missing", severity=Severity.critical)
def interpreter_missing(containers: Containers, programs: Programs) -> Iterable[Finding]:
    """The program of a container needs an interpreter that its image does not have.

    A script whose `#!` line names one that is missing or ends in a carriage return, or a binary whose loader is
    missing (glibc's on Alpine). The kernel says "no such file or directory" although the program is there; the text
    is only in the log.
    """
    for each in containers:
        program = programs.by_id.get(each.id)
        if program is None or program.why != "no such file or directory":
            continue
        if program.has_carriage_return:
            interpreter = program.interpreter.rstrip("\r")
            what = f"the #! line of {program.path} ends in a carriage return"
            seen = f"#!{interpreter}\\r"
        elif program.interpreter:
            what = f"{program.path} needs {program.interpreter}"
            seen = f"#!{program.interpreter}"
        elif program.machine:
            what = f"the loader that {program.path} was linked for is missing"
            seen = f"ELF, {program.machine}"
        else:
            what = f"what {program.path} needs to run is missing"
            seen = "not read"
        yield _refused(each, program, f"{each.short} cannot run: {what}", **{"first bytes of the program": seen})


@check(
    "container.exits-at-start",
    severity=Severity.critical,
    caused_by=[*APPLICATION_CAUSES, *PEER_CAUSES],
)
def exits_at_start(
    containers: Containers,
    clock: Clock,
    options: Options,
    last_words: LastWords | Unavailable,
    events: Events | Unavailable,
    *,
    short: Seconds = Seconds(10),
) -> Iterable[Finding]:
    """A container's program ends with an error as soon as it is started.

    Exited by itself with an error within seconds, within the looked-at time, and nothing will start it again. What
    is a service is read off it: published ports or a health check make it critical, a compose service or a detached
    run a warning. A run in the foreground showed its exit code to somebody: advice. Exit code 0, ends by a signal
    that was asked for, terminals, one-off runs of compose, tasks of swarm and containers with a restart policy
    (those are loops, or were stopped by hand) are silent.
    """
    for each in containers:
        age = clock.age(each.finished_at)
        if each.state.status != "exited" or each.state.error or age is None or age > options.since_s:
            continue
        if not _failed_by_itself(each, events) or (each.ran_for or 0.0) >= short or not _matters(each):
            continue
        words = words_of(last_words, each)
        yield Finding(
            subject=each.subject,
            summary=f"{each.short} exited with code {each.state.exit_code}, {took(each.ran_for)} after its start",
            evidence={
                "State": f"exited, exit code {each.state.exit_code}, ran {took(each.ran_for)}",
                "command": " ".join(each.command)[:120],
                **quoted(words),
            },
            variables={"container": each.short, "image": each.config.image},
            severity=_severity(each),
            touches=peers(words.lines, each, containers),
            signs=words.signs,
            onset=each.finished_at,
            service=each.service,
        )


_CRASHES = frozenset({128 + number for number in (4, 6, 7, 8, 11)})
"""Ended by a fault of its own: SIGILL, SIGABRT, SIGBUS, SIGFPE, SIGSEGV."""


def _failed_by_itself(each: Container, events: Events | Unavailable) -> bool:
    code = each.state.exit_code
    if isinstance(events, Events) and events.was_stopped(each.id):
        return False
    return 1 <= code <= 127 or code in _CRASHES or code == 255


def _matters(each: Container) -> bool:
    swarm = "com.docker.swarm.service.name" in each.labels
    one_off = each.labels.get("com.docker.compose.oneoff", "").lower() == "true"
    return not (each.restarts_always or swarm or one_off or each.config.tty)


def _severity(each: Container) -> Severity:
    test = (each.config.healthcheck.test if each.config.healthcheck else None) or ["NONE"]
    if each.wanted_ports or test[0] != "NONE":
        return Severity.critical
    return Severity.warning if each.service or not each.config.attach_stdout else Severity.advice


_DEVICE = re.compile(
    r'adding custom device "(?P<device>[^"]+)"|(?P<driver>could not select device driver .+)'
    r"|(?P<nvidia>nvidia-container-cli: .+)|(?P<cdi>unresolvable CDI devices? .+)"
)
_NETWORK = re.compile(
    r"network (?P<name>\S+) not found|could not find (?:a )?network matching network mode (?P<mode>\S+)"
)
_LIMITS = (
    "too many open files",
    "no space left on device",
    "resource temporarily unavailable",
    "error setting rlimit",
    "unable to apply caps",
    "disk quota exceeded",
    "cannot allocate memory",
    "error setting cgroup config",
    "unable to apply cgroup configuration",
    "cannot use systemd cgroups manager",
)
"""What the runtime says when a limit of the host, of the engine or of the container's own ulimits stops it."""


@check("container.device-missing", severity=Severity.critical)
def device_missing(containers: Containers) -> Iterable[Finding]:
    """A device or a GPU that a container asks for is not there.

    The engine refuses the start with exit code 128: no such device file, no driver for `--gpus`, or a CDI name that
    nothing explains. Seen on engines 20.10.24, 26.1.5 and 28.5.2; the words of the NVIDIA tools are from their
    documentation.
    """
    for each in containers:
        match = _DEVICE.search(each.state.error) if each.start_failed else None
        if match:
            device = match["device"] or match["driver"] or match["nvidia"] or match["cdi"]
            what = f"there is no {device}" if match["device"] else device
            yield _failed_start(each, what[:100], device=match["device"] or "gpu")


@check("container.network-gone", severity=Severity.critical)
def network_gone(containers: Containers) -> Iterable[Finding]:
    """A network that a container is attached to does not exist any more.

    A container keeps the networks it was created with; a network that was removed and made again under the same
    name is another one. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 128.
    """
    for each in containers:
        match = _NETWORK.search(each.state.error) if each.start_failed else None
        if match:
            network = match["name"] or match["mode"]
            named = next((name for name in each.endpoints if name == network), "") or _only_network(each, network)
            yield _failed_start(each, f"its network {named} is gone", network=named)


def _only_network(each: Container, network: str) -> str:
    """The name of a network that the engine calls by its id: there is one only, or the id itself stands."""
    return next(iter(each.endpoints)) if len(each.endpoints) == 1 else network


@check(
    "container.runtime-limit-hit",
    severity=Severity.critical,
    caused_by=["resources.cgroup-driver", "resources.pids-exhausted", "storage.disk-full", "storage.inodes-exhausted"],
)
def runtime_limit_hit(containers: Containers) -> Iterable[Finding]:
    """The runtime cannot set up a container because a limit, or the host, stops it.

    `no space left on device` here is seldom the disk: cgroups, /run, kernel keys and inotify say the same. Whatever
    else the runtime refuses and no other check explains is told in its own words. Seen on engines 20.10.24, 26.1.5
    and 28.5.2 for open files and a missing systemd; the other texts are the runtime's own.
    """
    for each in containers:
        error = each.state.error
        lowered = error.lower()
        hit = next((text for text in _LIMITS if text in lowered), None)
        if not each.start_failed or not _RUNTIME.search(lowered) or (not hit and _EXPLAINED.search(lowered)):
            continue
        said = f"the runtime met a limit, {hit}" if hit else f"the runtime refused it, {_core(error)}"
        finding = _failed_start(each, said)
        yield msgspec.structs.replace(finding, touches=(DAEMON,))


_RUNTIME = re.compile(r"runtime create failed|runc|failed to create (shim )?task")
_EXPLAINED = re.compile(r'exec: "|mounting ".+" to rootfs|custom device|nvidia|cdi device|permission denied')
"""What is a finding of its own."""


def _core(error: str) -> str:
    """The innermost part of the runtime's chain of words."""
    return error.removesuffix(": unknown").rpartition("failed: ")[2][:80]
