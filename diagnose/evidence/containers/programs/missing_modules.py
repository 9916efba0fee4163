"""Explanations in the image for a module, a command or a file that a program misses.

`package.json` lists packages that only development needs, with which images of Node.js for
production are not built; and an image whose Dockerfile copies the program by ONBUILD does not have
it.
"""

import posixpath

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.mounts.missing_files import ABSENCE
from diagnose.evidence.containers.settings.named.setting_variables import stands_in
from diagnose.evidence.items import ByContainer
from diagnose.model import Failed, Json
from diagnose.phrases import and_more
from diagnose.programs.failures import Recognised
from diagnose.questions import Host
from diagnose.questions.containers import ReadContainerFile
from diagnose.questions.images import InspectImage
from diagnose.registry import evidence

_NAMES = ("module-node", "command-missing")
"""The failures that miss a module or a command."""
_MANIFEST = "package.json"
_MANIFEST_BYTES = 64 * 1024
_PACKAGES = {"nest": "@nestjs/cli", "ng": "@angular/cli", "tsc": "typescript"}
"""By a command of another name: the package that has it."""
TRIGGERS_SHOWN = 2


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """A package.json."""

    scripts: dict[str, str] = {}
    dev_dependencies: dict[str, str] = {}


class MissingModule(msgspec.Struct, frozen=True):
    """A module that the image lacks: a package of development, or a file left to later builds."""

    name: str
    manifest: str = ""
    """The package.json that lists it for development alone."""
    script: str = ""
    """The script of that file which calls it, "" for none."""
    triggers: tuple[str, ...] = ()
    """The image's ONBUILD instructions, where the program itself is not there."""

    @property
    def clause(self) -> str:
        """The reason why the module or file is missing."""
        if self.triggers:
            shown = and_more(self.triggers, TRIGGERS_SHOWN)
            return (
                f"its image has no {self.name}: the ONBUILD instructions of that image ({shown}) "
                "run only in a build FROM it"
            )
        calls = f', which script "{self.script}" calls,' if self.script else ""
        return (
            f"{self.name}{calls} is among the devDependencies of {self.manifest}, and its image was "
            "built without those"
        )

    @property
    def evidence(self) -> dict[str, Json]:
        """Evidence that replaces the general meaning of the log line."""
        cure = "run the program as it is meant for production, or build the image with them"
        if self.triggers:
            cure = "write these instructions without ONBUILD, and build the image again"
        return {"this means": self.clause, "what fixes it": cure}


class MissingModules(ByContainer[MissingModule], frozen=True):
    """The explanations of a missing module, command or file, by container."""


@evidence
def missing_modules(host: Host, containers: Containers, log_tails: LogTails) -> MissingModules:
    """The explanations in images for modules, commands and files that logs report as missing.

    Each container with such a log takes one question.
    """
    modules = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        missing = None
        if failure is not None and failure.name in _NAMES:
            missing = _missing_module(host, container, failure)
        elif path := _own_file(container, log_tails.of(container)):
            missing = _file_left_to_builds(host, container, path)
        if missing is not None:
            modules[container.id] = missing
    return MissingModules(modules)


def _own_file(container: Container, tail: LogTail) -> str:
    """The file that the container was to run, where its program does not find it; "" for none."""
    telling = tail.telling
    if telling is None or not telling.explains or not ABSENCE.search(telling.whole):
        return ""
    folder = container.config.working_dir or "/"
    for word in container.config.words[1:]:
        path = posixpath.join(folder, word)
        is_file = "/" in word or "." in word
        if is_file and any(stands_in(name, telling.whole) for name in (word, path)):
            return path
    return ""


def _missing_module(host: Host, container: Container, failure: Recognised) -> MissingModule | None:
    name = failure.values.get("module") or failure.values.get("command") or ""
    if name.startswith("/"):
        return _file_left_to_builds(host, container, name)
    if not name or name.startswith("."):
        return None
    return _package_for_development(host, container, name)


def _file_left_to_builds(host: Host, container: Container, path: str) -> MissingModule | None:
    """A file of the program, which the image leaves to the images that are built from it."""
    if innermost_mount(container.mounts, path) is not None or not container.image:
        return None
    detail = host.ask(InspectImage(container.image))
    if isinstance(detail, Failed) or detail.config is None or not detail.config.on_build:
        return None
    triggers = tuple(step for step in detail.config.on_build if step.startswith(("ADD", "COPY")))
    return MissingModule(path, triggers=triggers) if triggers else None


def _package_for_development(host: Host, container: Container, name: str) -> MissingModule | None:
    """A package, or a command of one, that only development needs."""
    path = f"{container.config.working_dir.rstrip('/')}/{_MANIFEST}"
    file = host.ask(ReadContainerFile(container.id, path, bytes=_MANIFEST_BYTES))
    if isinstance(file, Failed) or file.data is None:
        return None
    try:
        manifest = msgspec.json.decode(file.data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    package = _PACKAGES.get(name) or "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    if package not in manifest.dev_dependencies:
        return None
    calling = (script for script, line in manifest.scripts.items() if name in line.split())
    return MissingModule(name, manifest=path, script=next(calling, ""))
