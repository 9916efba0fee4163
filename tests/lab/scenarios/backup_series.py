"""Series of backups that have begun to be empty, or have come to an end; and silent twins."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.deploys import SAFE
from tests.lab.scenarios.programs.helpers import run

BROKEN = "storage.backup-series-broken"
_NIGHTS = """
mkdir -p /srv/backups{number}; cd /srv/backups{number}
for day in 9 8 7 6 5 4 3 2 1; do
  at="$(date -d "$((day + {late})) days ago" +%F)"
  if [ $day -gt {empty} ]; then head -c 200000 /dev/urandom; fi | gzip >"shop-$at.sql.gz"
  touch -d "$at 02:00" "shop-$at.sql.gz"
done
"""


_WRITTEN_THEN = """
cd /srv; truncate -s 16M nights.img; mkfs.ext4 -q -m 0 -d backups{number} nights.img
for file in backups{number}/*; do
  echo "sif /${{file#*/}} ctime @$(stat -c %Y $file)"
done | debugfs -w -f - nights.img
rm backups{number}/*; mount -o loop nights.img backups{number}
"""
"""A file whose time of writing was set has still changed now, as one that was copied here."""


def _dumps(box: Box, number: int, empty: int = 0, late: int = 0) -> None:
    """A container with backups of nine nights, of which the last so many are empty."""
    box.sh(_NIGHTS.format(number=number, empty=empty, late=late))
    if late:
        box.sh(_WRITTEN_THEN.format(number=number))
    run(
        box,
        f"dumps{number}",
        *SAFE,
        "-v",
        f"/srv/backups{number}:/backups",
        "bb:1.36",
        "sleep",
        "1000",
    )


@fault(BROKEN, subject="container:dumps81", shareable=True)
def backups_that_are_empty(box: Box) -> None:
    """The dump fails since three nights, and gzip succeeds."""
    _dumps(box, 81, empty=3)
    assert box.sh("wc -c </srv/backups81/shop-$(date -d '1 day ago' +%F).sql.gz").strip() == "20"


@fault(BROKEN, subject="container:dumps82", also=["container.stopped"])
def backups_that_come_no_more(box: Box) -> None:
    """The container with the job was stopped days ago, and no backup has come since."""
    _dumps(box, 82, late=5)
    box.docker("update", "--restart=no", "dumps82")
    box.docker("kill", "dumps82")


@healthy(shareable=True)
def backups_of_each_night(box: Box) -> None:
    """The same with a backup of the last night."""
    _dumps(box, 83)
