"""Limits of containers: missing, holding work back, or not enforced."""

from checks.resources.helpers import MOST_NAMED
from diagnose.evidence.containers.cgroups import SAMPLE_S, Cgroups, Cpu, Throttling
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.parent_quotas import ParentQuotas, SharedQuota
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.pressure import HostMemory
from diagnose.mappings import subjects_of
from diagnose.model import HOST, CheckResult, Count, Finding, Json, PageVariables, Percent, Severity
from diagnose.phrases import MIB, agree, count, duration, named, size
from diagnose.registry import check


@check("resources.no-limits", severity=Severity.advice, posture=True)
def no_limits(
    containers: Containers, cgroups: Cgroups | None, host_memory: HostMemory | None
) -> CheckResult:
    """A container may take all of the host's memory.

    No memory limit of its own, and none found in its cgroup or given to its cgroup parent. A limit
    of a cgroup further up that the engine did not set is not seen. Whether the CPU is limited is
    said beside it: a missing CPU limit alone is not a finding, since CPU is shared out fairly and
    memory is not.
    """
    for container in containers.running:
        config = container.host_config
        group = cgroups.of(container) if cgroups is not None else None
        memory = group.memory if group is not None else None
        is_limited_by_kernel = memory is not None and bool(memory.limit)
        if not (config.memory or config.cgroup_parent or is_limited_by_kernel):
            in_use = memory.working_set if memory is not None else None
            yield _finding(container, in_use, host_memory)


def _finding(container: Container, in_use: int | None, host_memory: HostMemory | None) -> Finding:
    config = container.host_config
    limits_cpu = config.nano_cpus or config.cpu_quota > 0 or config.cpuset_cpus
    lacks = "memory limit" if limits_cpu else "memory limit and no CPU limit"
    evidence: dict[str, Json] = {
        "HostConfig.Memory": "0 (none)",
        "HostConfig.NanoCpus": config.nano_cpus or "0 (none)",
    }
    if in_use is not None:
        evidence["working set"] = size(in_use)
    if host_memory is not None:
        evidence["memory of the host"] = size(host_memory.total)
    return Finding.about(
        container,
        f"{container} has no {lacks}",
        evidence,
        variables={"memory": _suggested_limit(in_use)},
    )


def _suggested_limit(in_use: int | None) -> str:
    """Twice the memory in use, at least 256 MiB."""
    return f"{max(256, 2 * (in_use or 0) // MIB)}m"


@check("resources.cpu-throttled", severity=Severity.warning)
def cpu_throttled(
    containers: Containers,
    cgroups: Cgroups,
    throttling: Throttling,
    parents: ParentQuotas | None,
    info: Info | None,
    *,
    share: Percent = Percent(25),
    fewest: Count = Count(3),
) -> CheckResult:
    """A container is throttled at its CPU limit.

    Two samples half a second apart: the share of periods in which the kernel stopped it. The
    counters since its start only choose whom to sample. A burst that falls into the half second is
    taken for a habit; the counters beside it tell. A group above several containers may have a
    limit too, such as a slice of systemd: it holds all of them back, whatever their own limits are.
    """
    for shared in parents or ():
        quota = shared.quota
        if quota.periods >= fewest and 100 * quota.throttled >= share * quota.periods:
            yield _shared_finding(shared, info)
    for container in containers.running:
        periods, throttled = throttling.by_id.get(container.id, (0, 0))
        group = cgroups.of(container)
        if group is None or periods < fewest or 100 * throttled < share * periods:
            continue
        cpus = (group.cpu.quota_us or 0) / (group.cpu.period_us or 1)
        throttled_of = f"{throttled} of {periods} periods"
        yield Finding.about(
            container,
            f"{container} is held back by its limit of {cpus:g} CPUs: throttled in {throttled_of}",
            {
                f"cpu.stat, within {SAMPLE_S:g} s": f"{throttled_of} throttled",
                "since its start": _since_start(group.cpu),
                "limit": f"{cpus:g} CPUs",
            },
            signs=frozenset({"probe-timeout"}),
            variables={"cpus": _more_cpus(cpus, info)},
        )


def _shared_finding(shared: SharedQuota, info: Info | None) -> Finding:
    """The limit of a group above containers, as a finding about the host."""
    quota = shared.quota
    names = [container.name for container in shared.containers]
    throttled_of = f"{quota.throttled} of {quota.periods} periods"
    cpus = _more_cpus(quota.cpus, info)
    finding = Finding(
        subject=HOST,
        summary=(
            f"{named('container', names)} {agree(names, 'is', 'are')} held back by the limit of "
            f'{quota.cpus:g} CPUs of control group "{quota.path}": throttled in {throttled_of}'
        ),
        evidence={
            quota.file: f"{quota.quota_us} us in {quota.period_us} us",
            f"cpu.stat, within {SAMPLE_S:g} s": f"{throttled_of} throttled",
        },
        discriminator=quota.path,
        touches=subjects_of(shared.containers),
        signs=frozenset({"probe-timeout"}),
    )
    if shared.slice:
        percent = f"CPUQuota={100 * float(cpus):g}%"
        return finding.with_variables({"slice": shared.slice, "slice_quota": percent})
    limit = f"{round(float(cpus) * quota.period_us)}"
    written = limit if shared.is_of_version_1 else f"{limit} {quota.period_us}"
    return finding.with_variables({"quota_file": quota.file, "quota": written})


def _more_cpus(cpus: float, info: Info | None) -> str:
    """Twice the limit, at least one, and no more than the host has: the engine refuses that."""
    most = info.ncpu if info is not None and info.ncpu else 1
    return f"{min(max(cpus * 2, 1), most):g}"


def _since_start(cpu: Cpu) -> str:
    return f"{cpu.throttled} of {cpu.periods} periods, {duration((cpu.throttled_us or 0) / 1e6)} in all"


@check("resources.limits-not-enforced", severity=Severity.warning)
def limits_not_enforced(
    info: Info, containers: Containers, host_memory: HostMemory | None
) -> CheckResult:
    """The kernel does not enforce limits that containers were given.

    `/info` says MemoryLimit, PidsLimit or CpuCfsQuota false: the controller is off
    (`cgroup_disable=memory` on the boot line of a Raspberry Pi) and the engine dropped the limits
    in silence. A rootless engine on version 1 of control groups has none at all (driver "none").
    Swap that is not accounted for is advice, and only on a host that has swap. It is known from the
    engine's source; no host of ours has such a kernel.
    """
    has_groups = info.cgroup_driver != "none"
    enforcer = (
        "the kernel does" if has_groups else "this rootless engine has no control groups and does"
    )
    enforced = {"memory": info.memory_limit, "pids": info.pids_limit, "CPU": info.cpu_cfs_quota}
    limited = _limited_by_resource(containers)
    for resource in (resource for resource, is_enforced in enforced.items() if not is_enforced):
        finding = _unenforced_finding(enforcer, resource, limited[resource])
        yield finding.with_variables(_way_to_enforce(resource, has_groups=has_groups))
    swap = host_memory.swap_total if host_memory is not None else 0
    counts_memory_alone = has_groups and info.memory_limit and not info.swap_limit
    if counts_memory_alone and swap:
        yield _swap_finding(swap)


def _way_to_enforce(resource: str, *, has_groups: bool) -> PageVariables:
    """The page variables: only memory is switched by an option of the boot line; for others the
    kernel was built without support."""
    if not has_groups:
        return {"driver": "none"}
    return {"boot_option": "cgroup_enable=memory"} if resource == "memory" else {"built": resource}


def _unenforced_finding(enforcer: str, resource: str, names: list[str]) -> Finding:
    """The finding about a limit that is not enforced. enforcer: the kernel or cgroup that does not.
    names: the containers with this limit."""
    limited_clause = f"{count(len(names), 'container')} {agree(names, 'has one', 'have one')}"
    limited_clause = limited_clause if names else "no container has one"
    return Finding(
        subject=HOST,
        summary=f"{enforcer} not enforce {resource} limits: {limited_clause}",
        evidence={
            "/info": f"no {resource} limit support",
            "containers with such a limit": names[:MOST_NAMED] or "none",
        },
        discriminator=resource,
        severity=Severity.warning if names else Severity.advice,
    )


def _swap_finding(swap: int) -> Finding:
    return Finding(
        subject=HOST,
        summary=(
            f"swap is not counted: a container at its memory limit may swap out up to {size(swap)}"
        ),
        evidence={"/info SwapLimit": False, "swap of the host": size(swap)},
        variables={"boot_option": "swapaccount=1"},
        discriminator="swap",
        severity=Severity.advice,
    )


def _limited_by_resource(containers: Containers) -> dict[str, list[str]]:
    """The names of the containers that have a limit, by the resource."""
    configs = [(container.name, container.host_config) for container in containers]
    return {
        "memory": [name for name, config in configs if config.memory],
        "pids": [name for name, config in configs if (config.pids_limit or 0) > 0],
        "CPU": [name for name, config in configs if config.nano_cpus or config.cpu_quota > 0],
    }
