"""container.cpu-unsupported: a program needs instructions that the processor does not have."""

from collections.abc import Sequence

from checks.container.claims import Claim, claims
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.program_faults import ProgramFaults
from diagnose.evidence.images.builds import repository_of
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processor import Processor
from diagnose.model import CheckResult, Finding, PageVariables, Severity, Skipped
from diagnose.programs.exit_codes import described
from diagnose.registry import check

ID = "container.cpu-unsupported"
_LEVELS = {"2": ("sse4_2", "popcnt", "ssse3"), "3": ("avx2", "bmi2", "fma"), "4": ("avx512f",)}
"""Features that each level of x86-64 adds (System V ABI, x86-64 psABI)."""
_USUAL = ("sse4_2", "avx", "avx2")
"""Features that programs are commonly built for, and that virtual machines commonly hide."""
_MONGO = "docker.io/library/mongo"
_MONGO_WITHOUT_AVX = "mongo:4.4"
"""MongoDB 5.0 and later need AVX (its production notes)."""


@check(ID, severity=Severity.critical)
def cpu_unsupported(
    containers: Containers,
    clock: Clock,
    log_tails: LogTails,
    processor: Processor,
    program_faults: ProgramFaults | None,
) -> CheckResult:
    """A container's program needs instructions that this processor does not have.

    The log names them, or the program ended with SIGILL and the kernel wrote `invalid opcode` in
    that second, and /proc/cpuinfo lacks the feature. Programs use the same trap on purpose to
    abort: where no common feature is missing, nothing is claimed. Virtual machines hide features of
    the host's processor unless their CPU type is `host`.
    """
    if processor.flags is None:
        return Skipped("no log and no kernel message mentions missing instructions")
    claimed: set[str] = set()
    for claim in claims(ID, containers, log_tails, clock):
        missing = _features_lacking(processor, _wanted_features(claim))
        if missing:
            claimed.add(claim.container.id)
            yield _finding(claim.container, missing, processor, claim.evidence)
    faults = program_faults.by_id if program_faults is not None else {}
    missing = _features_lacking(processor, _USUAL)
    for container in containers:
        fault = faults.get(container.id)
        is_trapped = fault is not None and fault.is_invalid_opcode and container.id not in claimed
        if missing and fault is not None and is_trapped:
            yield _finding(container, missing, processor, {"kernel log": fault.text})


def _wanted_features(claim: Claim) -> Sequence[str]:
    """The processor features that the log asks for: a level of x86-64, or a feature by its name."""
    level = claim.value("level").lower()
    levels = (level,) if level else claim.failure.needs
    return _LEVELS.get(level, levels)


def _features_lacking(processor: Processor, features: Sequence[str]) -> list[str]:
    return [name for name in features if name not in (processor.flags or ())]


def _finding(
    container: Container, missing: list[str], processor: Processor, evidence: dict[str, object]
) -> Finding:
    names = ", ".join(missing)
    return Finding.about(
        container,
        f"{container} needs instructions that this processor does not have: {names}",
        {
            **evidence,
            "State": f"{container.state.status}, exit code {described(container.state.exit_code)}",
            "/proc/cpuinfo": f"{processor.model or 'processor'} without {names}",
        },
        onset=container.failed_first,
        variables=_steps(container, processor),
    )


def _steps(container: Container, processor: Processor) -> PageVariables:
    """The page variables: an older release, the features that the hypervisor shows a guest, and
    whether the container loops."""
    steps: PageVariables = {}
    if repository_of(container.config.image) == _MONGO:
        steps["older"] = _MONGO_WITHOUT_AVX
    if processor.is_of_a_guest:
        steps["shown"] = processor.model or "another processor"
    if container.restarts_always:
        steps["looping"] = container.name
    return steps
