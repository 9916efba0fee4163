"""What the image of a Node.js program says of the module or the command that its log misses.

`package.json` lists packages that only development needs, with which images for production are not
built; and an image whose Dockerfile copies the program by ONBUILD does not have it.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from diagnose.evidence.containers.inspect import innermost_mount
from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tails import LogTails
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
    """What explains that it is not there: the one or the other."""

    name: str
    manifest: str = ""
    """The package.json that lists it for development alone."""
    script: str = ""
    """The script of that file which calls it, "" for none."""
    triggers: tuple[str, ...] = ()
    """The image's ONBUILD instructions, where the program itself is not there."""

    @property
    def clause(self) -> str:
        """Why it is missing."""
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
        """In the place of what the log line alone means."""
        cure = "run the program as it is meant for production, or build the image with them"
        if self.triggers:
            cure = "write these instructions without ONBUILD, and build the image again"
        return {"this means": self.clause, "what fixes it": cure}


class MissingModules(msgspec.Struct, frozen=True):
    """By container id."""

    by_id: Mapping[str, MissingModule] = {}

    def of(self, container: Container) -> MissingModule | None:
        return self.by_id.get(container.id)


@evidence
def missing_modules(host: Host, containers: Containers, log_tails: LogTails) -> MissingModules:
    """One question about each container whose log misses a module or a command."""
    found = {}
    for container in containers:
        failure = log_tails.failures.get(container.id)
        if failure is None or failure.name not in _NAMES:
            continue
        missing = _missing(host, container, failure)
        if missing is not None:
            found[container.id] = missing
    return MissingModules(found)


def _missing(host: Host, container: Container, failure: Recognised) -> MissingModule | None:
    name = failure.values.get("module") or failure.values.get("command") or ""
    if name.startswith("/"):
        return _left_to_others(host, container, name)
    if not name or name.startswith("."):
        return None
    return _for_development(host, container, name)


def _left_to_others(host: Host, container: Container, path: str) -> MissingModule | None:
    """A file of the program, which the image leaves to the images that are built from it."""
    if innermost_mount(container.mounts, path) is not None or not container.image:
        return None
    detail = host.ask(InspectImage(container.image))
    if isinstance(detail, Failed) or detail.config is None or not detail.config.on_build:
        return None
    triggers = tuple(step for step in detail.config.on_build if step.startswith(("ADD", "COPY")))
    return MissingModule(path, triggers=triggers) if triggers else None


def _for_development(host: Host, container: Container, name: str) -> MissingModule | None:
    """A package, or a command of one, that only development needs."""
    path = f"{container.config.working_dir.rstrip('/')}/{_MANIFEST}"
    file = host.ask(ReadContainerFile(container.id, path, bytes=_MANIFEST_BYTES))
    if isinstance(file, Failed) or file.hex is None:
        return None
    try:
        manifest = msgspec.json.decode(bytes.fromhex(file.hex), type=Manifest)
    except msgspec.DecodeError:
        return None
    package = _PACKAGES.get(name) or "/".join(name.split("/")[: 2 if name.startswith("@") else 1])
    if package not in manifest.dev_dependencies:
        return None
    calling = (script for script, line in manifest.scripts.items() if name in line.split())
    return MissingModule(name, manifest=path, script=next(calling, ""))
