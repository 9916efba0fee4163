"""What installs a part that an image lacks."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.first_steps.installed_parts import installer_of, mended_image
from diagnose.programs.failures import recognise_family
from diagnose.programs.families import FAMILIES
from diagnose.programs.telling_line import TellingLine
from tests.checks.container.evidence import container_in

LOADER = "/app/tool: error while loading shared libraries: {}: cannot open shared object file"
IMPORT = "ImportError: {}: cannot open shared object file: No such file or directory"
R = "Error in library(shinythemes) : there is no package called ‘shinythemes’"
PERL = "Can't locate DBI/Pool.pm in @INC (you may need to install the DBI::Pool module)"


def failure_of(line: str) -> Any:
    return LogTail((line,)).failure or recognise_family(TellingLine(line), FAMILIES)


PACKAGES = {
    "a name in capitals": (LOADER, "libXrender.so.1", "libxrender1"),
    "of Python": (IMPORT, "libGL.so.1", "libgl1"),
    "a version of two parts": (LOADER, "libssl.so.1.1", r"libssl1\.1"),
    "a digit before the version": (LOADER, "libpango-1.0.so.0", r"libpango-?1\.0(-?0)?"),
    "no version": (LOADER, "libnss3.so", "libnss3"),
    "a part of GLib": (IMPORT, "libgthread-2.0.so.0", r"libglib2\.0-0"),
}


@pytest.mark.parametrize(("line", "library", "package"), PACKAGES.values(), ids=PACKAGES)
def test_the_package_of_a_library(line: str, library: str, package: str) -> None:
    command = installer_of(failure_of(line.format(library)))
    assert f"apk add --no-cache so:{library};" in command
    assert f"grep -Ex '{package}(\\.[0-9]+)?(t64|" in command


OTHERS = {
    "R": (R, 'library("shinythemes")'),
    "Perl": (PERL, "cpanm DBI::Pool"),
    "fonts of Java": (
        'NullPointerException: because "sun.awt.FontConfiguration.head" is null',
        "apt-get install -y fontconfig",
    ),
    "Python has other names": ("ModuleNotFoundError: No module named 'cv2'", ""),
    "no library": (LOADER.format("$(reboot).so"), ""),
    "nothing that is known": ("all is lost", ""),
}


@pytest.mark.parametrize(("line", "part"), OTHERS.values(), ids=OTHERS)
def test_other_parts(line: str, part: str) -> None:
    command = installer_of(failure_of(line))
    assert part in command
    assert bool(command) is bool(part)


def test_an_image_with_the_part() -> None:
    config = {"Image": "shop/cells:2", "User": "app"}
    steps = mended_image(container_in("exited", name="Cells", Config=config), failure_of(R))
    assert steps["mended"] == "cells:mended"
    lines = steps["dockerfile"].splitlines()
    assert (lines[0], lines[1], lines[-1]) == ("FROM shop/cells:2", "USER 0", "USER app")
    assert mended_image(container_in("exited", Config=config), None) == {}


def test_an_image_without_a_name() -> None:
    nameless = container_in("exited", Config={"Image": "sha256:1234"})
    assert mended_image(nameless, failure_of(R)) == {}


JAVA = (
    "java.lang.UnsupportedClassVersionError: shop/App has been compiled by a more recent version of the Java "
    "Runtime (class file version 61.0), this version of the Java Runtime only recognizes up to 55.0"
)


@pytest.mark.parametrize(
    ("config", "source"),
    [
        ({"Image": "shop/web:2", "Entrypoint": ["java", "-jar", "/app.jar"]}, "17-jre"),
        ({"Image": "shop/web:2-alpine", "Cmd": ["java", "-jar", "/app.jar"]}, "17-jre-alpine"),
        ({"Image": "shop/web:2", "Entrypoint": ["/usr/bin/java", "-jar", "/app.jar"]}, ""),
    ],
    ids=["its own Java", "of Alpine", "by a path"],
)
def test_an_image_with_a_newer_java(config: dict[str, Any], source: str) -> None:
    steps = mended_image(container_in("exited", Config=config), failure_of(JAVA))
    lines = steps.get("dockerfile", "").splitlines()
    copied = f"COPY --from=eclipse-temurin:{source} /opt/java/openjdk /opt/java/newer"
    assert lines[1:2] == ([copied] if source else [])


@pytest.mark.parametrize("library", ["libtorch_cuda.so", "libcudart.so.12", "libcudnn.so.9"])
def test_a_library_that_no_distribution_has(library: str) -> None:
    line = f"OSError: {library}: cannot open shared object file: No such file or directory"
    assert installer_of(failure_of(line)) == ""
