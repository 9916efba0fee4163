"""The programs that a container has, as the engine shows its file system."""

from collections.abc import Iterable

from diagnose.evidence.containers.container import Container
from diagnose.evidence.containers.mounts.program_places import hiding_mount
from diagnose.model import Failed
from diagnose.questions import Host, Question
from diagnose.questions.containers import ContainerFile, ReadContainerFile
from diagnose.questions.files import StatPaths

_DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH that engines give to a container whose image names none."""


def path_folders(container: Container) -> list[str]:
    """The folders in which a container looks for programs."""
    path = container.config.value_of("PATH") or _DEFAULT_PATH
    return [folder.rstrip("/") for folder in path.split(":") if folder.startswith("/")]


def programs_at(host: Host, container: Container, places: Iterable[str]) -> list[str]:
    """The paths at which the container has a program, in their order.

    One question about each. A link counts as a program: its target is not looked at.
    """
    paths = list(dict.fromkeys(places))

    def question(place: str) -> Question[ContainerFile]:
        return ReadContainerFile(container.id, place, bytes=256)

    present = {place for place, file in host.ask_about(paths, question) if _is_program(file)}
    return [place for place in paths if place in present]


def is_in_image(host: Host, container: Container, path: str) -> bool | None:
    """Whether the image has a file below the mount that hides its folder.

    None where no mount does, or the layers cannot be seen.
    """
    data = (container.graph_driver.data if container.graph_driver else None) or {}
    layers = (data.get("LowerDir") or "").split(":")[1:]
    if not layers or not hiding_mount(container, path):
        return None
    statuses = host.ask(StatPaths([f"{layer}{path}" for layer in layers]))
    if isinstance(statuses, Failed):
        return None
    failures = {status.failed for status in statuses.values()}
    if "" in failures:
        return True
    return False if failures == {"missing"} else None


def _is_program(file: ContainerFile | Failed) -> bool:
    if isinstance(file, Failed):
        return False
    may_run = file.mode is not None and bool(file.mode & 0o111)
    return file.type == "link" or (file.type == "file" and may_run)
