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


def _media(box: Box, number: int, place: str) -> str:
    """A download client and a program that imports, without compose; the name of the second. Both
    have the same folder of the host, the second one at this place."""
    box.docker("network", "create", f"media{number}")
    box.write(f"/srv/media{number}/complete/Film.2020/film.mkv", "film\n")
    own = ("run", "-d", *SAFE, f"--network=media{number}")
    client = (f"--name=torrents{number}", f"--volume=/srv/media{number}:/downloads")
    box.docker(*own, *client, "bb:1.36", "sleep", "1000")
    name = f"films{number}"
    folder = f"--volume=/srv/media{number}:{place}"
    box.docker(*own, f"--name={name}", folder, "bb:1.36", "sh", "-c", _IMPORTS)
    return name


_IMPORTS = """
while :; do
    if [ -d /downloads/complete ]; then echo '[Info] DownloadMonitoringService: nothing to import'
    else echo '[Warn] HealthCheckService: You are using docker; download client qBittorrent places downloads in /downloads/complete but this directory does not appear to exist inside the container. Review your remote path mappings and container volume settings.'
    fi
    sleep 1
done
"""


@fault("container.errors-in-log", subject="container:films83", exit_code=1)
def downloads_at_another_place(box: Box) -> None:
    """A program that imports films has the folder of the downloads at another place."""
    name = _media(box, 83, "/media")
    box.wait_for(lambda: logs(box, name).count("does not appear to exist") > 5, what="complaints")
    out = box.diagnose("check", "container.errors-in-log").joined
    assert "torrents83" in out, out
    assert "which this one has as /media" in out.replace("\n  ", " "), out


@healthy()
def downloads_at_the_same_place(box: Box) -> None:
    """The same with one place in both."""
    name = _media(box, 84, "/downloads")
    box.wait_for(lambda: logs(box, name).count("nothing to import") > 5, what="work")


@fault(CHECK, subject="container:shows85")
def file_of_a_neighbour_without_compose(box: Box) -> None:
    """The same two programs without compose, on one network."""
    box.docker("network", "create", "files85net")
    own = ("run", "-d", *SAFE, "--network=files85net")
    volume = "--volume=files85:/srv/files"
    box.docker(*own, "--name=saves85", volume, "bb:1.36", "sh", "-c", _SAVES)
    box.docker(*own, "--name=shows85", "bb:1.36", "sh", "-c", _READS)
    box.wait_for(lambda: logs(box, "shows85").count("No such file") > 2, what="the complaints")


@healthy()
def file_in_a_shared_volume(box: Box) -> None:
    """Both have the volume with the picture."""
    name = _pair(box, 82, "--volume=files82:/srv/files")
    box.wait_for(lambda: logs(box, name).count("read") > 2, what="the picture")
