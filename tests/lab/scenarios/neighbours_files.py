"""Programs that look for files which another container of their project has; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command
from tests.lab.scenarios.programs.helpers import logs

CHECK = "container.neighbour-has-file"
_SAVES = "mkdir -p /srv/files && echo made >/srv/files/1.jpg; exec sleep 1000"
_READS = "while :; do cat /srv/files/1.jpg >/dev/null && echo read; sleep 1; done"


def _pair(box: Box, number: int, *reader: str) -> str:
    """A program that saves a file in a volume, and one that reads it; the name of the second."""
    project = f"files{number}"
    names = {service: f"{project}-{service}-1" for service in ("php", "nginx")}
    volume = f"--volume=files{number}:/srv/files"
    for service, words, options in (("php", _SAVES, (volume,)), ("nginx", _READS, reader)):
        marks = labels(project, service)
        box.docker(
            "run", "-d", f"--name={names[service]}", *SAFE, *marks, *options, "bb:1.36", "sh", "-c",
            words,
        )  # fmt: skip
    return names["nginx"]


@fault(CHECK, subject="container:files81-nginx-1")
def file_in_the_volume_of_a_neighbour(box: Box) -> None:
    """One program saves a picture in a volume, and the other one, which shows it, has no mount."""
    name = _pair(box, 81)
    box.wait_for(lambda: logs(box, name).count("No such file") > 2, what="the complaints")
    command = first_command(box, CHECK, name)
    assert command.endswith("-- --volume=files81:/srv/files | sh"), command


@healthy()
def file_in_a_shared_volume(box: Box) -> None:
    """Both have the volume with the picture."""
    name = _pair(box, 82, "--volume=files82:/srv/files")
    box.wait_for(lambda: logs(box, name).count("read") > 2, what="the picture")
