"""Containers that do not start: the engine, the kernel or the program itself refuses."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from checks.container._words import QUOTED
from diagnose.error_signatures import signs
from diagnose.evidence.containers.inspect import Mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs import Program, Programs
from diagnose.evidence.engine.info import Info
from diagnose.evidence.storage.mounts import Mounted, Mounts
from diagnose.model import DAEMON, Finding, Json, Severity, Unavailable
from diagnose.registry import check

ARCHITECTURES = {
    "x86_64": "amd64",
    "aarch64": "arm64",
    "armv7l": "arm",
    "armv6l": "arm",
    "i686": "386",
    "i386": "386",
}
"""What `/info` calls an architecture -> what images call it."""


def failed_start(each: Container, reason: str, **variables: str) -> Finding:
    """A start that the engine refused: its own words are the proof."""
    return Finding(
        subject=each.subject,
        summary=f"{each.name} did not start: {reason}",
        evidence={
            "State": f"{each.state.status}, exit code {each.state.exit_code}",
            "State.Error": each.state.error,
        },
        variables={"container": each.name, **variables},
        signs=signs(each.state.error),
        service=each.service,
    )


def _named(each: Container, program: str) -> dict[str, str]:
    """The runbook's variables for a program in a container; file is how `docker cp` names it."""
    return {
        "container": each.name,
        "program": program,
        "image": each.config.image,
        "file": f"{each.name}:{program}",
    }


_EXEC = re.compile(
    r'exec: "(?P<program>.*?)": .*?'
    r"(?P<why>executable file not found|no such file or directory|permission denied|is a directory)"
    r"|container process: exec (?P<bare>.+): (?P<denied>permission denied)(?:: unknown)?$"
)
"""Without quotes: the file has an x bit, and the kernel does not let this user execute it there (noexec, or not its owner)."""


def own_program(each: Container) -> str:
    """Why the engine could not start a container's own program, in its words; empty if it says nothing of it, or names a
    program of the host (runc, docker-init) by the same words."""
    match = _EXEC.search(each.state.error) if each.start_failed else None
    if match is None:
        return ""
    program = match["program"] or match["bare"]
    return (match["why"] or match["denied"]) if program == (each.path or program) else ""


@check("container.entrypoint-missing", severity=Severity.critical, caused_by=["container.mount-source-missing"])
def entrypoint_missing(containers: Containers, programs: Programs | Unavailable) -> Iterable[Finding]:
    """A container's program does not exist in its image.

    A mount over its folder hides what the image has there. The engine answers 127 also for a file that is mounted over
    a directory ("not a directory"), which is another problem. Seen on engines 20.10.24, 26.1.5 and 28.5.2: the
    container stays `created`, only inspect has the error. Below an init (`--init`) it starts, and the init's last words
    tell.
    """
    for container in containers:
        why = own_program(container)
        below_init = programs.by_id.get(container.id) if isinstance(programs, Programs) else None
        if why in ("executable file not found", "no such file or directory"):
            program = container.path or (container.command or ["?"])[0]
            yield failed_start(container, _lacks(container, program), program=program, image=container.config.image)
        elif below_init and below_init.missing:
            lacks = _lacks(container, below_init.path)
            finding = _refused(container, below_init, f"{container.name} cannot run: {lacks}")
            named = {name: finding.variables[name] for name in ("container", "program", "image")}
            yield msgspec.structs.replace(finding, variables=named)


def _lacks(each: Container, program: str) -> str:
    over = _over(each, program)
    return f"there is no {program} in what is mounted at {over}" if over else f"its image has no {program}"


def _over(each: Container, program: str) -> str:
    """The innermost mount that lies over the program's folder, and hides what the image has there; empty if none."""
    points = [mount.destination for mount in each.mounts or ()] + list(each.host_config.tmpfs or ())
    return max((point for point in points if program.startswith(f"{point.rstrip('/')}/")), key=len, default="")


@check("container.entrypoint-forbidden", severity=Severity.critical)
def entrypoint_forbidden(
    containers: Containers, programs: Programs | Unavailable, mounts: Mounts | Unavailable
) -> Iterable[Finding]:
    """A container's program cannot be executed: permission denied.

    No x bit, a directory, or a mount with noexec: seen on engines 20.10.24, 26.1.5 and 28.5.2 with exit code 126, state
    `created`. What the kernel refuses later stands in the log alone: an interpreter that the user may not reach, or a
    program with capabilities of its own (`setcap`) that were dropped; below an init also a mount with noexec.
    """
    for container in containers:
        why = own_program(container)
        refused = programs.by_id.get(container.id) if isinstance(programs, Programs) else None
        if why in ("permission denied", "is a directory"):
            program = container.path
            finding = failed_start(
                container, f"{program} cannot be executed: permission denied", **_named(container, program)
            )
            yield _with_its_place(finding, _place(container, program, mounts))
        elif refused and refused.why in ("permission denied", "operation not permitted"):
            place = _place(container, refused.path, mounts)
            if refused.why == "permission denied" and place and (place.is_noexec or not refused.interpreter):
                # where nothing may be executed, the script itself is refused, before its interpreter is looked for
                refused = msgspec.structs.replace(refused, interpreter="")
                yield _with_its_place(_forbidden(container, refused), place)
            else:
                yield _forbidden(container, refused)


class _Place(msgspec.Struct, frozen=True):
    """Where a program lies on the host. held: the host's mount that holds it, None where those are not known."""

    path: str
    mount: Mount
    held: Mounted | None

    @property
    def is_noexec(self) -> bool:
        return self.held is not None and "noexec" in self.held.options.split(",")


def _place(each: Container, program: str, mounts: Mounts | Unavailable) -> _Place | None:
    """The place of a program that is mounted from the host into its container."""
    points = {mount.destination: mount for mount in each.mounts or () if mount.source.startswith("/")}
    mount = points.get(program) or points.get(_over(each, program))
    if mount is None:
        return None
    path = mount.source.rstrip("/") + program.removeprefix(mount.destination.rstrip("/"))
    return _Place(path, mount, mounts.of(path) if isinstance(mounts, Mounts) else None)


def _with_its_place(finding: Finding, place: _Place | None) -> Finding:
    if place is None:
        return finding
    evidence = {**finding.evidence, f"mounted at {place.mount.destination}": place.mount.source}
    # a change in the container's own layer is of no use for a file of the host
    variables = {name: value for name, value in finding.variables.items() if name != "file"} | {"source": place.path}
    summary = f"{finding.summary}; it is {place.path} of the host"
    if place.held is not None and place.is_noexec:
        summary += f", and {place.held.point} is mounted with noexec"
        evidence[f"mount options of {place.held.point}"] = place.held.options
        variables["noexec"] = place.held.point
    return msgspec.structs.replace(finding, summary=summary, evidence=evidence, variables=variables)


def _forbidden(each: Container, program: Program) -> Finding:
    if program.why == "operation not permitted":
        what = f"{program.path} has capabilities that the container does not have"
        config = each.host_config
        proof = {"HostConfig.CapDrop": config.cap_drop or "none", "HostConfig.CapAdd": config.cap_add or "none"}
        return _refused(each, program, f"{each.name} cannot run: {what}", **proof)
    user = each.config.user or "root"
    if program.interpreter:
        what = f"{program.interpreter}, which {program.path} needs, cannot be executed by user {user}"
        program = msgspec.structs.replace(program, path=program.interpreter)
    else:
        what = f"{program.path} cannot be executed by user {user}"
    return _refused(each, program, f"{each.name} cannot run: {what}", **{"Config.User": user})


def _refused(each: Container, program: Program, summary: str, **evidence: Json) -> Finding:
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
        onset=each.failed_first,
        service=each.service,
    )


@check("container.exec-format", severity=Severity.critical, caused_by=["image.platform-mismatch"])
def exec_format(containers: Containers, programs: Programs, info: Info | Unavailable) -> Iterable[Finding]:
    """The kernel cannot execute a container's program.

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
                f"{each.name} cannot run: {program.path} is built for {program.machine}{here}",
                **{"first bytes of the program": f"ELF, {program.machine}"},
            )
        elif program.known and not program.machine and not program.interpreter:
            yield _refused(
                each,
                program,
                f"{each.name} cannot run: {program.path} is a script without a #! line",
                **{"first bytes of the program": "neither ELF nor #!"},
            )
        else:
            yield _refused(
                each, program, f"{each.name} cannot run: the kernel does not know the format of {program.path}"
            )


@check("container.interpreter-missing", severity=Severity.critical)
def interpreter_missing(containers: Containers, programs: Programs) -> Iterable[Finding]:
    """A container's program needs an interpreter that its image does not have.

    A script whose `#!` line names one that is missing or ends in a carriage return, or a binary whose loader is
    missing (glibc's on Alpine). The kernel says "no such file or directory" although the program is there; the text
    is only in the log.
    """
    for each in containers:
        program = programs.by_id.get(each.id)
        if program is None or program.missing or program.why != "no such file or directory":
            continue
        if program.has_carriage_return:
            interpreter = program.interpreter.rstrip("\r")
            what = f"the #! line of {program.path} ends in a carriage return"
            seen = f"#!{interpreter}\\r"
        elif program.interpreter:
            what = f"{program.path} needs {program.interpreter}"
            seen = f"#!{program.interpreter}" if "/" in program.interpreter else f"#!... env {program.interpreter}"
        elif program.machine:
            what = f"the loader that {program.path} was linked for is missing"
            seen = f"ELF, {program.machine}"
        else:
            what = f"what {program.path} needs to run is missing"
            seen = "not read"
        yield _refused(each, program, f"{each.name} cannot run: {what}", **{"first bytes of the program": seen})


DEVICE = re.compile(
    r'adding custom device "(?P<device>[^"]+)"|(?P<driver>could not select device driver .+)'
    r"|(?P<nvidia>nvidia-container-cli: .+)|(?P<cdi>unresolvable CDI devices? .+)"
)
NETWORK = re.compile(
    r"network (?P<name>\S+) not found|could not find (?:a )?network matching network mode (?P<mode>\S+)"
)
LIMITS = (
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
_FOREIGN_CPUS = re.compile(r"cpuset\.cpus: numerical result out of range")
"""An engine that starts, with a container of a larger host or of more processors than are left; by hand it refuses without State.Error."""
RUNTIME = re.compile(r"runtime create failed|runc|failed to create (shim )?task")


@check("container.device-missing", severity=Severity.critical)
def device_missing(containers: Containers) -> Iterable[Finding]:
    """A device or a GPU that a container asks for is not there.

    The engine refuses the start with exit code 128: no such device file, no driver for `--gpus`, or a CDI name that
    nothing explains. Seen on engines 20.10.24, 26.1.5 and 28.5.2; the words of the NVIDIA tools are from their
    documentation.
    """
    for each in containers:
        match = DEVICE.search(each.state.error) if each.start_failed else None
        if match:
            device = match["device"] or match["driver"] or match["nvidia"] or match["cdi"]
            absent = f"{device} is not a device" if "not a device node" in each.state.error else f"there is no {device}"
            what = absent if match["device"] else device
            yield failed_start(each, what[:100], device=match["device"] or "gpu")


@check("container.network-gone", severity=Severity.critical)
def network_gone(containers: Containers) -> Iterable[Finding]:
    """A network that a container is attached to no longer exists.

    A container keeps the networks it was created with; a network that was removed and made again under the same
    name is another one. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 128.
    """
    for each in containers:
        match = NETWORK.search(each.state.error) if each.start_failed else None
        if match:
            network = match["name"] or match["mode"]
            named = next((name for name in each.endpoints if name == network), "") or _only_network(each, network)
            yield failed_start(each, f"its network {named} is gone", network=named)


def _only_network(each: Container, network: str) -> str:
    """The name of a network that the engine calls by its id: there is one only, or the id itself stands."""
    return next(iter(each.endpoints)) if len(each.endpoints) == 1 else network


@check(
    "container.runtime-limit-hit",
    severity=Severity.critical,
    caused_by=["resources.cgroup-driver", "resources.pids-exhausted", "storage.disk-full", "storage.inodes-exhausted"],
)
def runtime_limit_hit(containers: Containers, programs: Programs | Unavailable) -> Iterable[Finding]:
    """The runtime cannot set up a container: a limit or the host stands in the way.

    `no space left on device` here is seldom the disk: cgroups, /run, kernel keys and inotify say the same. Seen on
    engines 20.10.24, 26.1.5 and 28.5.2 for open files, processes and a missing systemd; the other texts are the
    runtime's own. A user's processes are counted over the whole host (ulimit nproc): the kernel then refuses the program.
    """
    for each in containers:
        lowered = each.state.error.lower()
        hit = next((text for text in LIMITS if text in lowered), None)
        refused = programs.by_id.get(each.id) if isinstance(programs, Programs) else None
        if each.start_failed and hit and _FOREIGN_CPUS.search(lowered):
            cpus = each.host_config.cpuset_cpus
            finding = failed_start(each, f"its cpuset {cpus} names processors that this host does not have")
            yield msgspec.structs.replace(finding, evidence={**finding.evidence, "HostConfig.CpusetCpus": cpus})
        elif each.start_failed and hit and RUNTIME.search(lowered):
            finding = failed_start(each, f"the runtime met a limit, {hit}")
            yield msgspec.structs.replace(finding, touches=(DAEMON,))
        elif refused and refused.why == "resource temporarily unavailable":
            user = each.config.user or "root"
            summary = f"{each.name} cannot run: user {user} has as many processes on this host as its ulimit allows"
            finding = _refused(each, refused, summary, **{"HostConfig.Ulimits": each.host_config.ulimits or "none"})
            yield msgspec.structs.replace(finding, variables={"container": each.name})
