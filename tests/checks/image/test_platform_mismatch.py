"""The check in checks/image/platform_mismatch.py."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.programs.program import Program
from diagnose.evidence.containers.programs.refused_programs import Programs
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.details import Detail, ImageDetails, image_details
from diagnose.evidence.images.listing import Images, images
from diagnose.evidence.machine.emulators import Emulators, emulators
from diagnose.model import Result, Severity, Unavailable
from tests.checks.image.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, live, of
from tests.judging import judge, rows

FAILED: dict[str, Any] = {"State": {"Status": "exited", "Pid": 0, "ExitCode": 1}}


def details(architecture: str) -> ImageDetails:
    detail = Detail("sha256:1111", architecture=architecture)
    return ImageDetails({detail.id: detail}, {detail.id: "shop:1.4"})


def _platform(container: Container, architecture: str, machine: str) -> Result:
    info = Info(architecture=machine)
    return judge(
        "image.platform-mismatch",
        exposed=live(container),
        containers=of(container),
        details=details(architecture),
        info=info,
        clock=CLOCK,
    )


@pytest.mark.parametrize(
    ("one", "architecture", "machine", "severity"),
    [
        pytest.param(container(**FAILED), "arm64", "x86_64", None, id="failed"),
        pytest.param(container(), "arm64", "x86_64", Severity.advice, id="runs emulated"),
        pytest.param(
            container(ImageManifestDescriptor={"platform": {"architecture": "arm64"}}, **FAILED), "amd64", "x86_64", None,
            id="the container's own manifest counts",
        ),
    ],
)  # fmt: skip
def test_platform_mismatch(
    one: Container, architecture: str, machine: str, severity: Severity | None
) -> None:
    (finding,) = _platform(one, architecture, machine).findings
    assert finding.severity is severity


EARLIER: dict[str, Any] = {**FAILED, "Created": "2020-01-02T03:04:05Z"}


LATER: dict[str, Any] = {**FAILED, "Created": "2100-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("one", "names", "variables"),
    [
        (container(**EARLIER), (), {"container": "web", "emulated": "arm64"}),
        (container(**EARLIER), ("qemu-arm", "register"), {"container": "web", "emulated": "arm64"}),
        (container(**EARLIER), ("qemu-aarch64",), None),
        (container(**EARLIER), ("FEX-x86_64",), None),
        (container(**LATER), (), None),
        (container(), (), None),
    ],
)
def test_container_that_was_emulated_before_the_boot(
    one: Container, names: tuple[str, ...], variables: dict[str, str] | None
) -> None:
    (finding,) = judge(
        "image.platform-mismatch",
        exposed=live(one),
        containers=of(one),
        details=details("arm64"),
        info=Info(architecture="x86_64"),
        clock=replace(CLOCK, booted=1_700_000_000.0),
        emulators=Emulators(names),
    ).findings
    built = {"container": "web", "image": "shop:1.4", "architecture": "amd64"}
    assert finding.variables == (variables or built)


@pytest.mark.parametrize(
    ("machine", "names", "severity"),
    [
        ("arm64", (), None),
        ("arm64", ("qemu-aarch64",), Severity.advice),
        ("amd64", (), Severity.advice),
    ],
)
def test_program_that_is_refused_again_and_again(
    machine: str, names: tuple[str, ...], severity: Severity | None
) -> None:
    """A container in a loop is said to be running for a moment, before the kernel refuses it."""
    looping = container(Created="2020-01-02T03:04:05Z", RestartCount=5)
    said = "exec /app: exec format error"
    program = Program("/app", "exec format error", said, machine=machine, is_read=True)
    (finding,) = judge(
        "image.platform-mismatch",
        exposed=live(looping),
        containers=of(looping),
        details=details("arm64"),
        info=Info(architecture="x86_64"),
        clock=replace(CLOCK, booted=1_700_000_000.0),
        emulators=Emulators(names),
        programs=Programs({looping.id: program}),
    ).findings
    assert finding.severity is severity
    assert ("emulated" in finding.variables) is (severity is None)


def test_emulators_are_listed_only_for_a_program_of_another_format() -> None:
    program = Program("/app", "exec format error", "exec /app: exec format error")
    names = ("qemu-arm", "qemu-mips64el", "register", "status")
    host = Made(
        {
            "file.list": {
                "entries": [{"name": name, "type": "file"} for name in names],
                "truncated": False,
            }
        }
    )
    assert isinstance(emulators(host, Programs({})), Unavailable)
    assert host.asked == []
    found = emulators(host, Programs({"web": program}))
    assert isinstance(found, Emulators)
    assert (found.can_run("arm"), found.can_run("arm64")) == (True, False)
    assert found.can_run("mips64le")
    assert found.items == ("qemu-arm", "qemu-mips64el")


def test_a_platform_of_another_shape_is_an_answer_that_cannot_be_read() -> None:
    """And no crash of the check that reads it."""
    with pytest.raises(msgspec.ValidationError):
        container(ImageManifestDescriptor={"platform": "linux/arm64"})


@pytest.mark.parametrize(
    ("architecture", "machine"),
    [
        ("amd64", "x86_64"),
        ("386", "x86_64"),
        ("arm", "aarch64"),
        ("", "x86_64"),
        ("arm64", "aarch64"),
    ],
)
def test_platform_that_fits(architecture: str, machine: str) -> None:
    assert _platform(container(), architecture, machine).verdict == "passed"


def test_platform_of_an_unknown_machine_does_not_apply() -> None:
    assert _platform(container(), "amd64", "vax").verdict == "skipped"


DATA = Path(__file__).parents[2] / "data" / "engine29"


def test_images_of_engine_29() -> None:
    """Real answers of engine 29.7.2 with containerd's store: a tag was moved, and five containers
    stand on the image that lost it."""
    listed_images = json.loads((DATA / "images.json").read_text())
    used = listed_images[1]["Id"]
    users = of(
        *(container(name, Image=used, Config={"Image": "shop/app:3.1"}) for name in ("a", "b"))
    )
    host = Made(
        {"api.images": listed_images, "api.image": json.loads((DATA / "image.json").read_text())}
    )
    listed = images(host, users)
    assert isinstance(listed, Images)
    assert listed.dangling == ()
    assert [image.name for image in listed.unused] == ["shop/app:3.1"]
    exposed = live(*users)
    assert rows(judge("image.labels-missing", exposed=exposed, images=listed)) == [
        ("advice", "shop/app:3.1")
    ]
    about = image_details(host, exposed, users)
    assert isinstance(about, ImageDetails)
    info = Info(architecture="x86_64")
    result = judge(
        "image.platform-mismatch",
        exposed=exposed,
        containers=users,
        details=about,
        info=info,
        clock=CLOCK,
    )
    assert result.verdict == "passed"
    assert [detail.layers for detail in about] == [()]
