"""Backups that hold nothing, though their program succeeds; look-alikes."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.images import load
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.everyday.helpers import first_command, typed

_EMPTY = "storage.backup-empty"
_SAVES = "while :; do tar -czf /tmp/backup.tgz /backup; sleep 5; done"


def _dashboards(box: Box, number: int) -> None:
    """A program with data in the volume of its project."""
    load(box, "bb:1.36")
    marks = labels(f"watch{number}", "dashboards")
    mount = f"--volume=watch{number}_config:/data"
    script = "echo x >/data/dash.db; exec sleep 1000"
    name = f"watch{number}-dashboards-1"
    box.docker("run", "-d", f"--name={name}", *SAFE, *marks, mount, "bb:1.36", "sh", "-c", script)


def _saver(box: Box, number: int, volume: str) -> str:
    """A backup program in a project of its own, with this volume; its container."""
    name = f"saver{number}-backup-1"
    marks = labels(f"saver{number}", "backup")
    mount = f"--volume={volume}:/backup/config:ro"
    box.docker("run", "-d", f"--name={name}", *SAFE, *marks, mount, "bb:1.36", "sh", "-c", _SAVES)
    return name


@fault(_EMPTY, subject="container:saver8-backup-1")
def backup_of_a_namesake(box: Box) -> None:
    """The backup program's project has a new volume of the same name; the command of the report
    gives it the one with the data."""
    _dashboards(box, 8)
    name = _saver(box, 8, "saver8_config")
    command = first_command(box, _EMPTY, name)
    assert command.endswith("-- --volume=watch8_config:/backup/config:ro | sh"), command


@fault(_EMPTY, subject="container:saver12-backup-1")
def backup_of_a_folder_without_its_slash(box: Box) -> None:
    """The data is in a folder of the host, and the backup's file has its name without `./`: compose
    has made a volume of it. The command of the report mounts the folder."""
    load(box, "bb:1.36")
    box.write("/srv/saver12/shopfiles/index.db", "x")
    marks = labels("saver12", "shop")
    mount = "--volume=/srv/saver12/shopfiles:/data"
    box.docker(
        "run", "-d", "--name=saver12-shop-1", *SAFE, *marks, mount, "bb:1.36", "sleep", "1000"
    )
    name = _saver(box, 12, "saver12_shopfiles")
    command = first_command(box, _EMPTY, name)
    assert command.endswith("-- --volume=/srv/saver12/shopfiles:/backup/config:ro | sh"), command
    typed(box, command)
    assert "index.db" in box.docker("exec", name, "ls", "/backup/config").stdout
    box.docker("rm", "-f", name)
    _saver(box, 12, "saver12_shopfiles")


@healthy(shareable=True)
def backup_of_the_data(box: Box) -> None:
    """The same program reads the volume of the other project, and a second one an empty volume that
    has no namesake."""
    _dashboards(box, 9)
    _saver(box, 9, "watch9_config")
    _saver(box, 10, "saver10_films")
