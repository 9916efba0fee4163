"""First steps where the log complains of the image, the host's kernel or a certificate.

A build of the image that was there before, what lies inside the container, a kernel module, the
certificate that a server shows.
"""

import posixpath

from diagnose.evidence.containers.compose.compose_files import only_file
from diagnose.evidence.containers.ends.former_images import FormerImage
from diagnose.evidence.containers.inspected_container import COMPOSE
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.logs.own_files.other_logs import other_log
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.unanswered_peers import Calls
from diagnose.evidence.containers.programs.failure_places import (
    folder_inside,
    kernel_module,
    own_command,
    run_folder,
    server_of_certificate,
    settings_inside,
)
from diagnose.evidence.images.builds import other_build
from diagnose.evidence.images.commands import ImageCommands
from diagnose.evidence.images.listing import Images, tag_of
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import first_of, present
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised

_JAVA_IMAGE = LazyPattern(
    r"(?P<name>(?:.*/)?(?:openjdk|eclipse-temurin|amazoncorretto|ibm-semeru-runtimes|sapmachine)):"
    r"\d[\d._+u]*(?P<flavour>(?:-[a-z]+)*)"
)
"""Images of nothing but Java, whose tags begin with its version."""
_NUMBERED = LazyPattern(r"\d")
"""Tags that keep to one release or to a line of them: a newer program gets another one."""
_OF_MIGRATIONS = frozenset(
    {"column-missing", "migration-fails", "migration-repeated", "migration-run-failed"}
)
"""Failures of one version on the data of another one."""
_LIBC = LazyPattern(r"(?P<path>/\S{0,200}/libc\.so\.6): version `GLIBC_")


def image_steps(
    container: Container,
    tail: LogTail,
    images: Images | None,
    commands: ImageCommands | None,
    calls: Calls,
) -> PageVariables:
    """The variables of a page about a program that failed at its start."""
    failure = tail.failure
    if failure is None or failure.name in ("logs-elsewhere", "clickhouse-own-server"):
        return _pointed_log(container, tail)
    command = own_command(container, failure, commands)
    if command:
        return {"own_command": command}
    newer_java = _newer_java(container, failure)
    if newer_java:
        return {"newer_java": newer_java}
    steps = _build_steps(container, failure, images)
    if failure.name.startswith("certificate-"):
        steps |= present({"tls_server": server_of_certificate(container, failure.line, calls)})
    if failure.name in ("kernel-module", "wireguard-unloaded"):
        steps["module"] = kernel_module(failure)
    return steps | _places_inside(container, failure)


def _build_steps(container: Container, failure: Recognised, images: Images | None) -> PageVariables:
    """The page variables of another build of the image that may not have the failure, or of a new
    one."""
    wanted_build = failure.failure.build
    if not wanted_build and failure.name in _OF_MIGRATIONS:
        return _versions_here(container)
    if (
        images is None
        or not wanted_build
        or _lies_in_a_mount(container, failure.values.get("path", ""))
    ):
        return {}
    build = other_build(container, images, is_newer=wanted_build == "newer")
    if build:
        return {"other_build": build}
    if wanted_build == "earlier":
        return _versions_here(container) if failure.name in _OF_MIGRATIONS else {}
    is_mended_since = wanted_build == "newer" and failure.failure.look == "builds"
    pulled = _tag_to_pull(container, images) if is_mended_since else {}
    return _built_by_compose(container, images) or pulled


def _versions_here(container: Container) -> PageVariables:
    """The name of the image whose versions on this host are listed: an earlier one is not there, or
    has a tag of its own."""
    image = container.config.image
    name = image.removesuffix(f":{tag_of(image)}")
    return {"versions_of": name, "image_now": image} if tag_of(image) and "@" not in image else {}


def _lies_in_a_mount(container: Container, path: str) -> bool:
    """Whether a path is below a mount: no build of the image contains its files."""
    return any(mount.holds(path) for mount in container.mounts)


def build_before(
    container: Container, images: Images | None, former: FormerImage | None = None
) -> PageVariables:
    """The page variable of the image of the container before this one, or of the build that a pull
    of the tag has replaced.

    That build has only its digest: an older one with a tag of its own may never have run here.
    """
    if former is not None:
        return {"build_before": former.image} if former.is_here else {}
    before = other_build(container, images, is_newer=False) if images is not None else ""
    return {"build_before": before} if "@" in before else {}


def _places_inside(container: Container, failure: Recognised) -> PageVariables:
    """The page variables with the file or folder in the container that the program complains of."""
    libc = _LIBC.search(failure.line)
    if libc is not None:
        return {"libc": f"{container.name}:{libc['path']}"}
    below_run = run_folder(container, failure)
    if below_run:
        return {"run_folder": below_run}
    inside = folder_inside(container, failure)
    if inside:
        return {"inside": f"{container.name}:{inside}"}
    return settings_inside(container, failure)


def _newer_java(container: Container, failure: Recognised) -> str:
    """The image of Java, of the version for which the program was compiled.

    Empty where the program has an image of its own.
    """
    java_image = _JAVA_IMAGE.fullmatch(container.config.image)
    if failure.failure.name != "java-class-version" or java_image is None:
        return ""
    return f"{java_image['name']}:{failure.values['built']}{java_image['flavour']}"


def _built_by_compose(container: Container, images: Images) -> PageVariables:
    """The file from which compose built the image of this service, and builds it again.

    Compose marks the images that it has built, and only those.
    """
    image = images.of(container)
    service = container.compose_service
    labels = (image.labels or {}) if image is not None else {}
    is_own = bool(service) and labels.get(f"{COMPOSE}service") == service
    file = only_file(container)
    return {"build_file": file, "build_service": service} if is_own and file else {}


def _tag_to_pull(container: Container, images: Images) -> PageVariables:
    """The page variable with the tag whose image may be fixed since.

    Empty for an image that was built here, or whose tag has the number of a release.
    """
    image = images.of(container)
    reference = container.config.image
    tag = tag_of(reference) or ""
    is_of_registry = image is not None and bool(image.digests) and bool(tag)
    return {"pulled": reference} if is_of_registry and not _NUMBERED.search(tag) else {}


def _pointed_log(container: Container, tail: LogTail) -> PageVariables:
    """The log file to which the output points, where no line of the output itself explains the
    failure."""
    telling = tail.telling
    pointed = other_log(container, tail)
    path = posixpath.basename(first_of(pointed.values(), ""))
    explains = telling is not None and telling.is_complaint and path not in telling.text
    return {} if explains else pointed
