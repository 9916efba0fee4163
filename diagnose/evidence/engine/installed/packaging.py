"""The kinds of engine installations that are not packages of the distribution."""

import msgspec

from diagnose.model import Trait
from diagnose.questions import Host
from diagnose.questions.file_answers import path_statuses

USUAL_PROGRAMS = ("/usr/bin/dockerd", "/usr/sbin/dockerd", "/usr/local/bin/dockerd")
"""Paths of dockerd in packages of distributions, and in Docker's own."""


class Packaging(msgspec.Struct, frozen=True):
    """The paths and unit names of one kind of engine installation."""

    trait: Trait | None = None
    """None for a package of the distribution."""
    mark: str = ""
    """A path that only this kind of host has."""
    program: str = ""
    """Its dockerd; "" where that is one of the usual programs."""
    config: str = "/etc/docker/daemon.json"
    unit: str = "docker.service"
    """The systemd unit of the engine, and the name of its journal."""
    has_systemd: bool = True
    """Whether hosts of this kind may run systemd: others keep its mark from an earlier life."""


USUAL = Packaging()
SYSTEMD_FOLDER = "/run/systemd/system"
"""There where systemd runs."""
_SYNOLOGY = "/var/packages/ContainerManager"
KINDS = (
    # snapcraft.yaml of canonical/docker-snap: the app "dockerd" is its service
    Packaging(
        "snap",
        "/snap/docker/current",
        "/snap/docker/current/bin/dockerd",
        "/var/snap/docker/current/config/daemon.json",
        "snap.docker.dockerd.service",
    ),
    # DSM 7.2; the paths are those of telnetdoogie/synology-docker
    Packaging(
        "synology",
        _SYNOLOGY,
        f"{_SYNOLOGY}/target/usr/bin/dockerd",
        f"{_SYNOLOGY}/etc/dockerd.json",
    ),
    Packaging("qnap", "/etc/init.d/container-station.sh"),
    # Slackware, and Unraid, which is based on it
    Packaging("slackware", "/etc/rc.d/rc.docker", has_systemd=False),
    Packaging("openrc", "/run/openrc", has_systemd=False),
)
"""The kinds, of which the first with an existing mark counts. A host that has a snap beside a usual
program is not a host of the snap's kind: packages put that program there."""


def packaging(host: Host) -> Packaging:
    """The kind of engine installation on this host; the common one where nobody could look."""
    marks = [kind.mark for kind in KINDS]
    statuses = path_statuses(host, [*marks, *USUAL_PROGRAMS, SYSTEMD_FOLDER])
    existing = {path for path, status in statuses.items() if not status.failed}
    has_usual_program = not existing.isdisjoint(USUAL_PROGRAMS)
    for kind in KINDS:
        if kind.trait == "snap" and has_usual_program:
            continue
        if kind.mark in existing and (kind.has_systemd or SYSTEMD_FOLDER not in existing):
            return kind
    return USUAL
