"""The freezer of a control group: the file that keeps its processes frozen.

Sources: cgroup-v1/freezer-subsystem.rst, and cgroup.freeze in cgroup-v2.rst.
"""

from collections.abc import Mapping
from typing import NamedTuple

from diagnose.live.kernel.cgroup_files import file_number, file_pairs, file_text
from diagnose.live.kernel.cgroup_places import Places


class Freezer(NamedTuple):
    """How one version of control groups freezes processes."""

    controller: str
    switch: str
    """The file that does it."""
    own: str
    """The one that says whether this very group was frozen."""

    def holds(self, folder: str | None) -> bool:
        """Whether the processes of a group are frozen, by whomever."""
        if self.controller:
            return (file_text(folder, self.switch) or "").strip() == "FROZEN"
        return file_pairs(folder, "cgroup.events").get("frozen") == 1

    def is_switched(self, folder: str | None) -> bool:
        """Whether this group itself was frozen, and not one above it."""
        return file_number(folder, self.own) == 1


FREEZERS = (
    Freezer("freezer", "freezer.state", "freezer.self_freezing"),
    Freezer("", "cgroup.freeze", "cgroup.freeze"),
)
"""Version 1 has a controller of its own; where both are mounted, it is the one that counts."""


def frozen_by(places: Places, paths: Mapping[str, str]) -> str:
    """The file that freezes the processes of a group: its own, or that of a group above it.

    "" where they are not frozen. runc freezes a group for a moment when it changes its devices.
    """
    freezer = next((freezer for freezer in FREEZERS if freezer.controller in paths), None)
    if freezer is None:
        return ""
    path = paths[freezer.controller]
    if not freezer.holds(places.folder(freezer.controller, path)):
        return ""
    parts = path.strip("/").split("/")
    above = ("/" + "/".join(parts[:length]) for length in range(len(parts), 0, -1))
    folders = (places.folder(freezer.controller, place) for place in above)
    by = next((folder for folder in folders if freezer.is_switched(folder)), None)
    return f"{by}/{freezer.switch}" if by is not None else ""
