"""image.platform-mismatch: an image was built for another kind of machine than this host."""

from msgspec.structs import replace

from checks.image.failed_pulls import LATELY_S, image_of
from diagnose.evidence.containers.exposure import Exposed, has_failed
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.details import Detail, ImageDetails
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.emulators import FOLDER, Emulators
from diagnose.model import CheckResult, Count, EvidenceGroup, Finding, Severity, Skipped, Subject
from diagnose.phrases import how_often, shortened
from diagnose.registry import check

ARCHITECTURES = {
    "x86_64": ("amd64", "386"),
    "aarch64": ("arm64", "arm"),
    "armv7l": ("arm",),
    "armv6l": ("arm",),
    "i686": ("386",),
    "riscv64": ("riscv64",),
    "ppc64le": ("ppc64le",),
    "s390x": ("s390x",),
    "loongarch64": ("loong64",),
}
"""Image architectures that a kernel runs by itself, by `uname -m`; 64-bit x86 and ARM run their
32-bit programs too."""


class Emulation(EvidenceGroup, frozen=True):
    """Evidence of the emulators of this kernel, and of the processors whose programs it refused."""

    emulators: Emulators | None
    programs: Programs | None


@check(
    "image.platform-mismatch",
    severity=Severity.warning,
    aloud=("could not be pulled", "could not be pulled"),
    aloud_of_engine="could not pull an image",
)
def platform_mismatch(
    exposed: Exposed,
    containers: Containers,
    details: ImageDetails,
    info: Info,
    pulls: Pulls | None,
    clock: Clock,
    emulation: Emulation,
    *,
    repeated: Count = Count(3),
) -> CheckResult:
    """An image was built for a different kind of processor than this host has.

    A container of such an image that runs is emulated (binfmt_misc, qemu) or its image is labelled
    wrongly: advice. One that failed is a warning, and so are pulls that failed `repeated` times. An
    image without an architecture (imported, `scratch`) is not judged. With containerd's store (from
    engine 28) the container's own manifest counts, not the index. A reboot forgets the emulators
    that a container had registered: a container that is older than the boot may need one again.
    """
    machine = info.architecture
    if machine not in ARCHITECTURES:
        return Skipped(f"what {machine or 'an unknown'} processor can run is not known here")
    able = ARCHITECTURES[machine]
    emulators = emulation.emulators
    for candidate in (*exposed, *filter(has_failed, containers)):
        built_for = _architecture(candidate, details.by_id.get(candidate.image))
        if built_for and built_for not in able:
            has_no_emulator = emulators is not None and not emulators.can_run(built_for)
            is_refused = has_no_emulator and _is_refused(candidate, built_for, emulation.programs)
            runs = candidate.is_running and not is_refused
            finding = _platform_finding(candidate, built_for, machine, runs=runs)
            if has_no_emulator and not runs:
                finding = _emulator_finding(finding, candidate, built_for, emulators, clock)
            yield finding
    troubles = pulls.of("platform") if pulls is not None else ()
    for trouble in troubles:
        yield _missing_platform_finding(trouble, machine, clock, repeated)


def _missing_platform_finding(
    trouble: PullTrouble, machine: str, clock: Clock, repeated: int
) -> Finding:
    times = how_often(trouble.count, clock.ago(trouble.last))
    return Finding(
        subject=trouble.subject,
        summary=f"pulling {trouble.what} failed {times}: the image has no build for {machine}",
        evidence={
            "log": shortened(trouble.text),
            "failures": trouble.count,
            "/info Architecture": machine,
        },
        variables={"architecture": ARCHITECTURES[machine][0], **image_of(trouble)},
        discriminator=f"{trouble.registry} {trouble.image}".strip(),
        severity=Severity.warning if trouble.count >= repeated else Severity.advice,
        onset=trouble.first,
        is_quiet=not clock.is_within(trouble.last, LATELY_S),
    )


def _is_refused(candidate: Container, built_for: str, programs: Programs | None) -> bool:
    """Whether the log shows that the kernel refused a program for this processor.

    Between two runs of a loop, a container is running until the kernel refuses its program.
    """
    program = programs.of(candidate) if programs is not None else None
    if program is None or program.why != "exec format error":
        return False
    return program.machine == built_for


def _platform_finding(candidate: Container, built_for: str, machine: str, *, runs: bool) -> Finding:
    image = candidate.config.image
    effect = "runs emulated, or its label is wrong" if runs else "cannot run here"
    return Finding.about(
        candidate,
        f'{candidate} {effect}: image "{image}" is for {built_for}, this host is {machine}',
        {
            "Architecture": built_for,
            "/info Architecture": machine,
            "State.Status": candidate.state.status,
        },
        touches=(Subject("image", image),),
        severity=Severity.advice if runs else None,
        signs=frozenset({"exec-format"}),
        variables={"image": image, "architecture": ARCHITECTURES[machine][0]},
        is_quiet=True,
    )


def _emulator_finding(
    finding: Finding,
    candidate: Container,
    built_for: str,
    emulators: Emulators | None,
    clock: Clock,
) -> Finding:
    """The finding, with the emulator that the host lacks."""
    summary = f"{finding.summary}, and no emulator for {built_for} is registered"
    emulator_finding = replace(
        finding,
        summary=summary,
        evidence={**finding.evidence, FOLDER: ", ".join(emulators or ()) or "no emulator"},
    )
    if (candidate.created_at or clock.booted) >= clock.booted:
        return emulator_finding
    return replace(
        emulator_finding,
        summary=f"{summary} since this boot, before which {candidate} was created",
        variables={"container": candidate.name, "emulated": built_for},
    )


def _architecture(candidate: Container, detail: Detail | None) -> str:
    descriptor = candidate.image_manifest_descriptor
    platform = descriptor.platform if descriptor is not None else None
    if platform is not None and platform.architecture:
        return platform.architecture
    return detail.architecture if detail is not None else ""
