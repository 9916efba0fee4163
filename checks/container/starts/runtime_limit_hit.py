"""container.runtime-limit-hit: the runtime meets a limit, and cannot set a container up."""

from collections.abc import Iterator, Sequence

import msgspec

from checks.container.starts.start_errors import failed_start, joined_by_error, refused_program
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.containers.programs.start_refusals import innermost
from diagnose.evidence.containers.ulimits import refused_ulimit
from diagnose.evidence.containers.wanted_parts import UlimitEntry
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.limits.kernel_keys import KEY_USERS, REFUSED, KernelKeys, lacks_keys
from diagnose.evidence.machine.processor import ONLINE, OnlineProcessors, processor_numbers
from diagnose.evidence.machine.real_time import RealTime, RealTimeEngine
from diagnose.first_steps.starts.runtime_limit_steps import asked_rule, larger_quota
from diagnose.first_steps.starts.start_steps import cures
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Json, Severity
from diagnose.registry import check

LIMITS = (
    "too many open files",
    "no space left on device",
    "resource temporarily unavailable",
    "error setting rlimit",
    "unable to apply caps",
    "disk quota exceeded",
    "cannot allocate memory",
)
"""Errors of the runtime when a limit of the host, of the engine or of the container's own ulimits
stops it."""


CGROUPS = (
    "error setting cgroup config",
    "unable to apply cgroup configuration",
    "cannot use systemd cgroups manager",
)
"""Errors of the runtime when it cannot make the container's control group, before the kernel's own
words."""


_OF_ULIMITS = ("too many open files", "error setting rlimit")
"""Errors that come from a container's own ulimits, if it has any."""


RUNTIME = LazyPattern(r"runtime create failed|runc|failed to create (shim )?task")


REFUSED_ENTRY = "cgroup.procs: invalid argument"
"""The kernel lets a process of the runtime into no group of a container."""


_FOREIGN_CPUS = LazyPattern(r"cpuset\.cpus: numerical result out of range")
"""An engine that starts, with a container of a larger host or of more processors than are left. By
hand it refuses without State.Error."""


@check(
    "container.runtime-limit-hit",
    severity=Severity.critical,
    caused_by=[
        "resources.cgroup-driver",
        "resources.pids-exhausted",
        "storage.disk-full",
        "storage.inodes-exhausted",
    ],
    observed=True,
)
def runtime_limit_hit(
    containers: Containers,
    programs: Programs | None,
    keys: KernelKeys | None,
    online: OnlineProcessors | None,
    info: Info | None,
    real_time: RealTime | None,
) -> CheckResult:
    """The runtime cannot set up a container because of a limit or of the host.

    `no space left on device` here is seldom the disk: cgroups, /run, kernel keys and inotify say
    the same. Seen on engines 20.10.24, 26.1.5 and 28.5.2 for open files, processes and a missing
    systemd; the other texts are the runtime's own. A user's processes are counted over the whole
    host (ulimit nproc): the kernel then refuses the program. The state says nothing where a
    container asks for more processors than the host has: its limits are compared with the host.
    """
    if real_time is not None and real_time.engine is not None:
        kept_out = _kept_out(containers)
        if kept_out or not containers.running:
            yield _real_time_finding(real_time.engine, kept_out)
            return None
    refused: list[tuple[Container, Finding]] = []
    keyless = [container for container in containers if lacks_keys(container)]
    for container in containers:
        lacking = _too_few_processors_finding(container, online, info)
        error = container.state.error.lower()
        limit = _limit_hit(container)
        if lacking is not None:
            yield lacking
        elif limit and _FOREIGN_CPUS.search(error):
            yield _cpuset_finding(container)
        elif limit and RUNTIME.search(error):
            refused.append((container, _limit_finding(container, limit, keys, keyless)))
        elif programs is not None:
            yield from _process_limit_findings(container, programs)
    yield from joined_by_error(refused)
    if not any(REFUSED in container.state.error.lower() for container, _ in refused):
        yield from _keyless_probe_findings(keyless, keys)


def _limit_hit(container: Container) -> str:
    """The text about a limit, or about its group, in the error of a failed start; "" for none."""
    error = container.state.error.lower() if container.start_failed else ""
    return next((text for text in (*LIMITS, *CGROUPS) if text in error), "")


def _limit_clause(container: Container, limit: str) -> str:
    """The clause about the error of the runtime: a limit, or the message of the kernel."""
    if limit in LIMITS:
        return f"the runtime hit a limit: {limit}"
    return f"the runtime could not set up its control group: {innermost(container.state.error)}"


def _kept_out(containers: Containers) -> list[Container]:
    """Containers whose first process the kernel did not let into its group.

    Where containers run and none of these exists, a real-time policy proves nothing: `chrt` without
    `--all-tasks` changes one thread, and the runtime inherits that of another one.
    """
    return [
        container
        for container in containers
        if container.start_failed and REFUSED_ENTRY in container.state.error
    ]


def _real_time_finding(engine: RealTimeEngine, refused: list[Container]) -> Finding:
    """The finding about an engine whose own policy keeps every process out of a new container."""
    evidence: dict[str, Json] = {
        f"policy of process {engine.containerd}": engine.policy,
        engine.share: engine.microseconds,
    }
    steps = {"idle_engine": str(engine.engine), "idle_containerd": str(engine.containerd)}
    if refused:
        evidence["State.Error"] = refused[0].state.error
        steps = {
            "real_time_engine": str(engine.engine),
            "real_time": str(engine.containerd),
            "refused": refused[0].name,
        }
    return Finding(
        subject=DAEMON,
        summary="no container can start: containerd runs as a real-time process, and the kernel "
        "lets none into the control group of a container",
        evidence=evidence,
        touches=subjects_of(refused),
        variables=steps,
    )


def _keyless_probe_findings(
    keyless: Sequence[Container], keys: KernelKeys | None
) -> Iterator[Finding]:
    """Findings about running containers whose probes are refused a key; a restart would
    stop them."""
    if not keyless:
        return
    container, *others = keyless
    yield Finding.about(
        container,
        f"{container} runs, and its probe cannot be started: the kernel's quota of keys for its user "
        "is used up; each process that the runtime starts takes one key",
        _key_quotas(keys),
        touches=subjects_of(others),
        variables=larger_quota(keys),
    )


def _cpuset_finding(container: Container) -> Finding:
    cpus = container.host_config.cpuset_cpus
    reason = f"its cpuset {cpus} names CPUs that this host does not have"
    evidence = {"HostConfig.CpusetCpus": cpus}
    return failed_start(container, reason, evidence=evidence, variables={"limiting": "cpuset-cpus"})


def _limit_finding(
    container: Container, limit: str, keys: KernelKeys | None, keyless: Sequence[Container]
) -> Finding:
    """The finding about the limit that the runtime met, in its own words: of kernel keys, of
    ulimits, or another.

    keyless: containers that run and whose probes are refused a key.
    """
    clause = _limit_clause(container, limit)
    quotas = _key_quotas(keys) if REFUSED in container.state.error.lower() else {}
    if quotas:
        touched = (DAEMON, *subjects_of(keyless))
        return failed_start(
            container, clause, evidence=quotas, touches=touched, variables=larger_quota(keys)
        )
    ulimit = refused_ulimit(container)
    if ulimit is not None:
        return _ulimit_finding(container, ulimit, clause)
    is_own = container.host_config.ulimits and limit in _OF_ULIMITS
    healing = {"limiting": "ulimit"} if is_own else cures(container)
    return failed_start(
        container, clause, touches=(DAEMON,), variables=healing | asked_rule(container, healing)
    )


def _ulimit_finding(container: Container, ulimit: UlimitEntry, clause: str) -> Finding:
    """The finding about a limit of the container's own that is above what the engine may give."""
    hard = "unlimited" if ulimit.hard == -1 else str(ulimit.hard)
    return failed_start(
        container,
        clause,
        cause=f"it asks for the ulimit {ulimit.name} ({hard}), and the engine may not give that much",
        evidence={"HostConfig.Ulimits": f"{ulimit.name}={ulimit.soft}:{ulimit.hard}"},
        touches=(DAEMON,),
        variables={"limiting": f"ulimit={ulimit.name}"},
    )


def _process_limit_findings(container: Container, programs: Programs) -> Iterator[Finding]:
    """Findings about a program that the kernel refused since its user has too many processes on
    this host."""
    program = programs.of(container)
    if program is None or program.why != "resource temporarily unavailable":
        return
    user = container.config.user or "root"
    limits = container.host_config.ulimits
    reason = f"user {user} has as many processes on this host as its ulimit allows"
    shown = msgspec.to_builtins(limits) if limits else "none"
    finding = refused_program(container, program, reason, {"HostConfig.Ulimits": shown})
    limiting = {"limiting": "ulimit"} if limits else {}
    yield msgspec.structs.replace(finding, variables={"container": container.name, **limiting})


def _key_quotas(keys: KernelKeys | None) -> dict[str, Json]:
    """The quotas of kernel keys that are used up, as evidence."""
    lines = [
        f"uid {quota.uid}: {quota.keys} of {quota.max_keys} keys, "
        f"{quota.bytes} of {quota.max_bytes} bytes"
        for quota in (keys.used_up if keys is not None else ())
    ]
    return {KEY_USERS: lines} if lines else {}


def _too_few_processors_finding(
    container: Container, online: OnlineProcessors | None, info: Info | None
) -> Finding | None:
    """The finding about a stopped container that asks for processors which the host does not have.

    The engine refuses it without an entry in its state ("Requested CPUs are not available", "range
    of CPUs is from 0.01 to 2.00"). Without a restart policy it may be kept for another host, and
    the finding is advice.
    """
    config = container.host_config
    if container.is_running or container.state.error:
        return None
    if online is not None and online.numbers:
        lacking = processor_numbers(config.cpuset_cpus) - online.numbers
    else:
        lacking = frozenset()
    if lacking and online is not None:
        reason = f"it is pinned to CPUs {config.cpuset_cpus}, and this host has {online.listed}"
        evidence = {"HostConfig.CpusetCpus": config.cpuset_cpus, ONLINE: online.listed}
        variables = {"limiting": "cpuset-cpus", "cpuset": online.listed}
    elif info is not None and info.ncpu and config.nano_cpus > info.ncpu * 1_000_000_000:
        wanted_cpus = f"{config.nano_cpus / 1e9:g}"
        reason = f"it may use {wanted_cpus} processors, and this host has {info.ncpu}"
        evidence = {"HostConfig.NanoCpus": wanted_cpus, "/info NCPU": str(info.ncpu)}
        variables = {"limiting": "cpus", "cpus": str(info.ncpu)}
    else:
        return None
    has_policy = config.restart_policy.name not in ("", "no")
    return Finding.about(
        container,
        f"{container} cannot be started: {reason}",
        {**evidence},
        severity=Severity.critical if has_policy else Severity.advice,
        variables=variables,
    )
