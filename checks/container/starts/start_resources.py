"""The checks container.device-missing, container.network-gone, container.runtime-limit-hit.

What the engine needs for a start is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

import msgspec
from msgspec.structs import replace

from checks.container.settings.absent_device import devices_not_on_host, what_the_host_has
from checks.container.starts.start_errors import (
    cures,
    failed_start,
    grouped,
    known_error,
    refused_program,
)
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.engine.info import Info
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.gpu import GpuSupport
from diagnose.evidence.machine.kernel_keys import KEY_USERS, REFUSED, KernelKeys, lacks_keys
from diagnose.evidence.machine.processor import ONLINE, OnlineProcessors, processor_numbers
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import subjects_of
from diagnose.model import DAEMON, CheckResult, Finding, Json, PageVariables, Severity
from diagnose.registry import check

DEVICE = LazyPattern(
    r'adding custom device "(?P<device>[^"]+)"'
    r"|(?P<driver>could not select device driver .+|failed to discover GPU vendor .+)"
    r"|(?P<nvidia>nvidia-container-cli: .+)|(?P<cdi>unresolvable CDI devices? .+)"
)
NETWORK = LazyPattern(
    r"network (?P<name>\S+) not found"
    r"|could not find (?:a )?network matching network mode (?P<mode>\S+)"
)
_MODULES = {
    "/dev/nvidia": "nvidia",
    "/dev/net/tun": "tun",
    "/dev/fuse": "fuse",
    "/dev/kvm": "kvm",
    "/dev/loop": "loop",
    "/dev/vhost-net": "vhost_net",
    "/dev/ppp": "ppp_generic",
}
"""Device files, by the beginnings of their paths, and the kernel modules that make them."""
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
"""What the runtime says when a limit of the host, of the engine or of the container's own ulimits
stops it."""
_RULE_OF_RUNC = "c 10:200 rwm"
"""/dev/net/tun: no option asks for it."""
_OF_ULIMITS = ("too many open files", "error setting rlimit")
"""Those that a container's own ulimits bring, if it has any."""
RUNTIME = LazyPattern(r"runtime create failed|runc|failed to create (shim )?task")
_FOREIGN_CPUS = LazyPattern(r"cpuset\.cpus: numerical result out of range")
"""An engine that starts, with a container of a larger host or of more processors than are left. By
hand it refuses without State.Error."""


@check("container.device-missing", severity=Severity.critical)
def device_missing(
    containers: Containers,
    clock: Clock | None,
    log_tails: LogTails | None,
    asked_devices: AskedDevices | None,
    gpu: GpuSupport | None,
) -> CheckResult:
    """A device or a GPU that a container asks for is not there.

    The engine refuses the start with exit code 128: no such device file, no driver for `--gpus`, or
    a CDI name that nothing explains. Seen on engines 20.10.24, 26.1.5, 28.5.2 and 29.7.2, which has
    other words for `--gpus`; those of the NVIDIA tools are from their documentation. A program that
    ends because it lacks a device asks for it in its log: the host is looked at before the option
    `--device` is named.
    """
    if clock is not None and log_tails is not None and asked_devices is not None:
        yield from devices_not_on_host(containers, clock, log_tails, asked_devices, _MODULES)
    refused: list[tuple[Container, Finding]] = []
    for container in containers:
        error = container.state.error
        match = DEVICE.search(error) if container.start_failed else None
        if match is None:
            continue
        failure = known_error(container)
        name = failure.name if failure else ""
        path = match["device"] or ""
        others = asked_devices.missing.get(path) if asked_devices is not None else None
        finding = failed_start(container, _what_it_lacks(match, error, others)).with_variables(
            _other_device(container, path, others) or _device_variables(path, name, gpu)
        )
        finding = replace(finding, summary=f"{finding.summary}{_of_host(name, gpu)}")
        if match["device"]:
            yield finding
        else:
            refused.append((container, finding))
    yield from grouped(refused)
    return None


def _what_it_lacks(match: re.Match[str], error: str, others: Sequence[str] | None) -> str:
    """What the container asks for and does not get, in words.

    others: the devices of that kind that the host has, where they were looked for.
    """
    path = match["device"]
    if not path:
        return (match["driver"] or match["nvidia"] or match["cdi"])[:100]
    if "not a device node" in error:
        return f"{path} is not a device"[:100]
    missing = f"there is no {path}"[:100]
    return f"{missing}; {what_the_host_has(others)}" if others else missing


def _other_device(container: Container, path: str, others: Sequence[str] | None) -> PageVariables:
    """The one device of that kind under another name, as the program is to see it."""
    inside = [
        device.get("PathInContainer") or path
        for device in container.host_config.devices or ()
        if device.get("PathOnHost") == path
    ]
    if others is None or len(others) != 1 or len(inside) != 1:
        return {}
    return {"device": path, "renamed": f"{others[0]}:{inside[0]}"}


@check("container.network-gone", severity=Severity.critical)
def network_gone(containers: Containers) -> CheckResult:
    """A network that a container is attached to no longer exists.

    A container keeps the networks it was created with; a network that was removed and recreated
    under the same name is another one. Seen on engines 20.10.24, 26.1.5 and 28.5.2: exit code 128.
    """
    for container in containers:
        match = NETWORK.search(container.state.error) if container.start_failed else None
        if match:
            network = match["name"] or match["mode"]
            name = network if network in container.endpoints else _only_network(container, network)
            yield failed_start(container, f'its network "{name}" is gone', network=name)
    return None


def _only_network(container: Container, network: str) -> str:
    """The name of a network that the engine calls by its id, where the container has only one.

    Otherwise the id.
    """
    return next(iter(container.endpoints)) if len(container.endpoints) == 1 else network


_OF_DRIVERS = {
    "nvidia-mismatch": {"stale_driver": "nvidia"},
    "nvidia-driver": {"module": "nvidia"},
    "nvidia-cuda": {},
}
"""Known start errors of a GPU that is there: its driver is at fault, and to leave the GPU out would
heal nothing."""

_NO_TOOLKIT = "gpu-no-toolkit"
"""The known start error of an engine that cannot give GPUs."""


def _of_host(failure: str, gpu: GpuSupport | None) -> str:
    """What the host has of that now, as the end of a sentence."""
    if failure != _NO_TOOLKIT or gpu is None:
        return ""
    if gpu.toolkit:
        return "; it was installed since"
    return "" if gpu.driver else "; this host has no NVIDIA driver either"


def _device_variables(path: str, failure: str, gpu: GpuSupport | None) -> PageVariables:
    """The variables of the page.

    The device, and the kernel module that makes it, where one is known.
    """
    if failure in _OF_DRIVERS:
        return {"device": "gpu", **_OF_DRIVERS[failure]}
    if failure == _NO_TOOLKIT and gpu is not None and gpu.toolkit:
        return {"device": "gpu", "unread": "docker"}
    if failure == _NO_TOOLKIT and gpu is not None and gpu.driver:
        return {"device": "gpu", "option": "gpus", "toolkit": "nvidia-container-toolkit"}
    if not path:
        return {"device": "gpu", "option": "gpus"}
    module = next((module for prefix, module in _MODULES.items() if path.startswith(prefix)), "")
    return {"device": path, **({"module": module} if module else {"option": "device"})}


@check(
    "container.runtime-limit-hit",
    severity=Severity.critical,
    caused_by=[
        "resources.cgroup-driver",
        "resources.pids-exhausted",
        "storage.disk-full",
        "storage.inodes-exhausted",
    ],
)
def runtime_limit_hit(
    containers: Containers,
    programs: Programs | None,
    keys: KernelKeys | None,
    online: OnlineProcessors | None,
    info: Info | None,
) -> CheckResult:
    """The runtime cannot set up a container because of a limit or of the host.

    `no space left on device` here is seldom the disk: cgroups, /run, kernel keys and inotify say
    the same. Seen on engines 20.10.24, 26.1.5 and 28.5.2 for open files, processes and a missing
    systemd; the other texts are the runtime's own. A user's processes are counted over the whole
    host (ulimit nproc): the kernel then refuses the program. The state says nothing where a
    container asks for more processors than the host has: its limits are compared with the host.
    """
    refused: list[tuple[Container, Finding]] = []
    keyless = [container for container in containers if lacks_keys(container)]
    for container in containers:
        lacking = _too_few_processors_finding(container, online, info)
        error, hit = container.state.error.lower(), _limit_hit(container)
        if lacking is not None:
            yield lacking
        elif hit and _FOREIGN_CPUS.search(error):
            yield _cpuset_finding(container)
        elif hit and RUNTIME.search(error):
            refused.append((container, _limit_finding(container, hit, keys, keyless)))
        elif programs is not None:
            yield from _process_limit_findings(container, programs)
    yield from grouped(refused)
    if not any(REFUSED in container.state.error.lower() for container, _ in refused):
        yield from _keyless_probe_findings(keyless, keys)
    return None


def _limit_hit(container: Container) -> str:
    """What the engine says of a limit in the error of a failed start; "" for nothing."""
    error = container.state.error.lower() if container.start_failed else ""
    return next((text for text in LIMITS if text in error), "")


def _keyless_probe_findings(
    keyless: Sequence[Container], keys: KernelKeys | None
) -> Iterator[Finding]:
    """Containers that run and whose probes are refused; after a restart they would be down."""
    if not keyless:
        return
    container, *others = keyless
    finding = Finding.about(
        container,
        f"{container} runs, and its probe cannot be started: the kernel's quota of keys for its user "
        "is used up; each process that the runtime starts takes one key",
        _key_quotas(keys),
        touches=subjects_of(others),
    )
    yield finding.with_variables(_larger_quota(keys))


def _cpuset_finding(container: Container) -> Finding:
    cpus = container.host_config.cpuset_cpus
    what = f"its cpuset {cpus} names CPUs that this host does not have"
    evidence = {"HostConfig.CpusetCpus": cpus}
    return failed_start(container, what, evidence=evidence, limiting="cpuset-cpus")


def _limit_finding(
    container: Container, hit: str, keys: KernelKeys | None, keyless: Sequence[Container]
) -> Finding:
    """The limit that the runtime met, in its own words: of kernel keys, of ulimits, or another.

    keyless: containers that run and whose probes are refused a key.
    """
    quotas = _key_quotas(keys) if REFUSED in container.state.error.lower() else {}
    touched = (DAEMON, *subjects_of(keyless)) if quotas else (DAEMON,)
    finding = failed_start(
        container, f"the runtime hit a limit: {hit}", evidence=quotas, touches=touched
    )
    if quotas:
        return finding.with_variables(_larger_quota(keys))
    is_own = container.host_config.ulimits and hit in _OF_ULIMITS
    healing = {"limiting": "ulimit"} if is_own else cures(container)
    return finding.with_variables(healing | _asked_rule(container, healing))


def _asked_rule(container: Container, healing: Mapping[str, str]) -> PageVariables:
    """The option that asks for a device which the outer container forbids, if one does.

    The runtime gives devices of its own to each container: runc /dev/net/tun until 1.1.
    """
    config = container.host_config
    if healing.get("rule", "").startswith("a ") and config.privileged:
        return {"limiting": "privileged"}
    is_asked = "rule" in healing and healing["rule"] != _RULE_OF_RUNC and config.devices
    return {"limiting": "device"} if is_asked else {}


def _process_limit_findings(container: Container, programs: Programs) -> Iterator[Finding]:
    """A program that the kernel refused since its user has too many processes on this host."""
    program = programs.by_id.get(container.id)
    if program is None or program.why != "resource temporarily unavailable":
        return
    user, limits = container.config.user or "root", container.host_config.ulimits
    what = f"user {user} has as many processes on this host as its ulimit allows"
    finding = refused_program(container, program, what, **{"HostConfig.Ulimits": limits or "none"})
    limiting = {"limiting": "ulimit"} if limits else {}
    yield msgspec.structs.replace(finding, variables={"container": container.name, **limiting})


def _key_quotas(keys: KernelKeys | None) -> dict[str, Json]:
    """The evidence of quotas of keys that are used up."""
    lines = [
        f"uid {quota.uid}: {quota.keys} of {quota.max_keys} keys, "
        f"{quota.bytes} of {quota.max_bytes} bytes"
        for quota in (keys.used_up if keys is not None else ())
    ]
    return {KEY_USERS: lines} if lines else {}


def _larger_quota(keys: KernelKeys | None) -> PageVariables:
    """The variables that raise the quota which is used up to ten times its size."""
    quota = keys.used_up[0] if keys is not None and keys.used_up else None
    if quota is None:
        return {}
    prefix = "root_" if quota.uid == 0 else ""
    return {
        "keys": f"kernel.keys.{prefix}maxkeys={10 * quota.max_keys}",
        "key_bytes": f"kernel.keys.{prefix}maxbytes={10 * quota.max_bytes}",
    }


def _too_few_processors_finding(
    container: Container, online: OnlineProcessors | None, info: Info | None
) -> Finding | None:
    """A container that does not run and asks for processors which the host does not have.

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
        what = f"it is pinned to CPUs {config.cpuset_cpus}, and this host has {online.listed}"
        evidence = {"HostConfig.CpusetCpus": config.cpuset_cpus, ONLINE: online.listed}
        variables = {"limiting": "cpuset-cpus", "cpuset": online.listed}
    elif info is not None and info.ncpu and config.nano_cpus > info.ncpu * 1_000_000_000:
        wanted = f"{config.nano_cpus / 1e9:g}"
        what = f"it may use {wanted} processors, and this host has {info.ncpu}"
        evidence = {"HostConfig.NanoCpus": wanted, "/info NCPU": str(info.ncpu)}
        variables = {"limiting": "cpus", "cpus": str(info.ncpu)}
    else:
        return None
    has_policy = config.restart_policy.name not in ("", "no")
    finding = Finding.about(
        container,
        f"{container} cannot be started: {what}",
        {**evidence},
        severity=Severity.critical if has_policy else Severity.advice,
    )
    return finding.with_variables(variables)
