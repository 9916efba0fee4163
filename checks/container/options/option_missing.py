"""container.option-missing: a container was created without an option that its program needs."""

import re
from collections.abc import Iterator, Mapping, Sequence

from msgspec.structs import replace

from checks.container.access.tmpfs import tmpfs_of_root
from checks.container.claims import Claim, claims, compose_variables, is_broken
from checks.container.options.kernel_setting_low import ID as KERNEL_SETTING_LOW
from diagnose.evidence.containers.devices.asked import AskedDevices
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.data.wanted_empty import SHOWN, FullFolder, WantedEmpty
from diagnose.evidence.containers.mounts.program_places import place_of_program
from diagnose.evidence.containers.options.unused_gpus import VARIABLE as GPU_VARIABLE
from diagnose.evidence.containers.options.unused_gpus import UnusedGpu, UnusedGpus
from diagnose.evidence.containers.peers.inner_engines import EngineBeside, engine_beside
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.containers.user_numbers import UserNumbers
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.storage.mounts import Mounts
from diagnose.first_steps.rows.needed_options import ID, needed_options
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import CheckResult, EvidenceGroup, Finding, Severity
from diagnose.phrases import and_more
from diagnose.programs.failures.host.kernel_settings import LOW_PORTS_FOR_ALL, PORT_START
from diagnose.registry import check

_OVERRIDE = "DAC_OVERRIDE"
"""The capability by which root may use files whose owner and mode do not let it."""
_PATH_DENIED = ("path-denied", "script-not-executable", "some-path-denied")
_BY_MODE = LazyPattern(r"permission denied|\bEACCES\b|Errno 13\b", re.IGNORECASE)
_POWERLESS = (
    "its root was left without this capability (--cap-drop), so that owner and mode of a file bind it "
    "as they bind others, and one that it needs belongs to another user"
)


class RefusedPrograms(EvidenceGroup, frozen=True):
    """The programs that could not be executed, and where they lie."""

    programs: Programs | None
    mounts: Mounts | None

    def holds_for_everyone(self, container: Container, line: str) -> bool:
        """Whether the file of a program refuses it to each user, whatever the capabilities: it has
        no x bit, or nothing may be executed where it lies."""
        refused = self.programs.of(container) if self.programs is not None else None
        if refused is None or refused.path not in line:
            return False
        place = place_of_program(container, refused.path, self.mounts)
        return refused.lacks_execute_bit or (place is not None and place.is_noexec)


@check(
    ID,
    severity=Severity.critical,
    aloud=("names a GPU that it does not have", "name GPUs that they do not have"),
)
def option_missing(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    asked_devices: AskedDevices | None,
    numbers: UserNumbers | None,
    wanted_empty: WantedEmpty | None,
    unused_gpus: UnusedGpus | None,
    refused_programs: RefusedPrograms,
) -> CheckResult:
    """A container was created without an option that its program needs.

    The log shows what the program could not do, and the container's own configuration shows why: a
    capability, a device, a limit or an entry for host.docker.internal is missing, its root file
    system is read-only, its root has no right to files of other users, a tmpfs belongs to root, or
    a second init comes before the image's own.

    A time zone counts where the host knows it, so that its name is right and the image lacks them.
    A folder that has to be empty is named with what it holds, hidden files too.

    A container with a database is left out, for the option would begin another database beside it.
    A device that the host does not have either is container.device-missing. A build job that has an
    engine in a container beside it (docker:dind) needs that one's address in place of the host's
    socket.

    NVIDIA_VISIBLE_DEVICES that a person has set, without an option that gives the container a GPU,
    is advice: the program works on the processor. It counts where the host has NVIDIA's driver.
    """
    claims_made = claims(ID, containers, log_tails, clock)
    rootless = _powerless_root_claims(containers, log_tails, clock, refused_programs)
    for claim in (*claims_made, *_low_port_claims(containers, log_tails, clock), *rootless):
        missing = needed_options(claim.container, claim.failure, asked_devices, numbers)
        full = wanted_empty.of(claim.container) if wanted_empty is not None else None
        if not missing or (full is not None and full.is_of_a_database):
            continue
        engine = engine_beside(claim.container, containers) if _is_socket(list(missing)) else None
        if engine is not None:
            yield _elsewhere_finding(claim, engine)
        else:
            cause = claim.failure.cause if full is None else _contents_clause(full)
            yield _finding(claim, missing, cause)
    yield from tmpfs_of_root(containers, clock, log_tails, numbers)
    yield from map(_gpu_finding, unused_gpus or ())


def _finding(claim: Claim, missing: Mapping[str, tuple[str, object]], cause: str) -> Finding:
    """The finding about a container without an option of `docker run`.

    missing: the options, each with the setting that shows that it is not there.
    """
    options = list(missing)
    further = {"further": options[1]} if len(options) == 2 else {}
    return claim.finding(
        f"needs {' '.join(options)}: {cause}",
        dict(missing.values()),
        variables={
            "option": options[0],
            "image": claim.container.config.image,
            **further,
            **compose_variables(claim.container),
        },
    )


def _gpu_finding(gpu: UnusedGpu) -> Finding:
    container = gpu.container
    option = "--gpus=all"
    return Finding.about(
        container,
        f"{container} works without a GPU: its {GPU_VARIABLE}={gpu.value} has no effect without "
        f"{option}",
        {"HostConfig.DeviceRequests": "none", "HostConfig.Runtime": container.host_config.runtime},
        discriminator=GPU_VARIABLE,
        severity=Severity.advice,
        recheck=(container.run,),
        variables={
            "option": option,
            "image": container.config.image,
            **compose_variables(container),
        },
    )


def _low_port_claims(containers: Containers, log_tails: LogTails, clock: Clock) -> Iterator[Claim]:
    """The containers that may not open a port below 1024 of a network of their own.

    On the host's network that is container.kernel-setting-low.
    """
    for claim in claims(KERNEL_SETTING_LOW, containers, log_tails, clock):
        is_named = claim.failure.needs[0] == PORT_START and bool(claim.value("port"))
        if is_named and not claim.container.shares_host_network:
            row = replace(claim.failure.failure, confirmed_by=ID, needs=(LOW_PORTS_FOR_ALL,))
            yield replace(claim, failure=replace(claim.failure, failure=row))


def _powerless_root_claims(
    containers: Containers, log_tails: LogTails, clock: Clock, refused_programs: RefusedPrograms
) -> Iterator[Claim]:
    """The containers whose root is bound by owners and modes, and was refused a file.

    An operation that the kernel does not permit, a write that fails, and a program that nobody can
    execute have other reasons.
    """
    for container in containers:
        failure = log_tails.failures.get(container.id)
        dropped = container.host_config.dropped_capabilities & {"ALL", _OVERRIDE}
        if failure is None or failure.name not in _PATH_DENIED or not dropped:
            continue
        if refused_programs.holds_for_everyone(container, failure.line):
            continue
        is_by_mode = _BY_MODE.search(failure.line) is not None
        if (
            is_by_mode
            and container.config.starts_as_root
            and is_broken(container, clock, log_tails)
        ):
            needs = (f"--cap-add={_OVERRIDE}",)
            cause = _POWERLESS
            row = replace(failure.failure, confirmed_by=ID, needs=needs, cause=cause)
            yield Claim(container, log_tails.of(container), replace(failure, failure=row))


def _is_socket(options: Sequence[str]) -> bool:
    """Whether only the engine's socket is missing."""
    return len(options) == 1 and options[0].endswith("/docker.sock")


def _elsewhere_finding(claim: Claim, beside: EngineBeside) -> Finding:
    """The finding about a program that asks for the host's engine, and has one of its own beside
    it."""
    engine = beside.container
    address = beside.address
    option = f"--env=DOCKER_HOST={address}"
    return claim.finding(
        f"calls the engine at a socket that it does not have, and {engine} beside it is its "
        f"engine: DOCKER_HOST={address} leads there",
        {"Config.Env": "DOCKER_HOST is not set", "image of the other": engine.config.image},
        variables={
            "option": option,
            "image": claim.container.config.image,
            **compose_variables(claim.container),
        },
    )


def _contents_clause(full: FullFolder) -> str:
    """The clause about the files that keep a database from being made in a folder."""
    names = and_more([f'"{name}"' for name in full.names], SHOWN)
    return (
        "PostgreSQL makes its data only in an empty folder, and "
        f"{full.source} on the host holds {names}"
    )
