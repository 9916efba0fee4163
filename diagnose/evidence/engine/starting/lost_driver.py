"""A storage driver that the engine cannot use, and why."""

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.log import DaemonLog
from diagnose.evidence.engine.starting.failed_start import FailedStart, page_variables
from diagnose.evidence.storage.mounts import Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Json, PageVariables
from diagnose.programs.failures import Recognised

_PRIOR = LazyPattern(r'prior storage driver \\?"?(?P<driver>[\w-]+)\\?"? failed: (?P<why>.+)')
"""An older line than the last one, with the driver of the data in the data root."""
OVERLAY = "overlay2"
NOT_FOR_OVERLAY = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "fuse", "fuseblk", "9p", "virtiofs", "overlay", "aufs"}
    | {"vfat", "exfat", "ntfs3", "ecryptfs", "ceph"}
)
"""File systems that cannot hold the upper folder of an overlay."""


class LostDriver(msgspec.Struct, frozen=True):
    """A storage driver that cannot be used: its name in words, reason and page variables."""

    name: str
    cause: str
    variables: dict[str, str]
    is_about_place: bool = False
    """Whether the data root is where the driver does not work: no setting of the engine helps."""


def lost_driver(
    start: FailedStart, driver: Json, root: DataRoot | None, mounts: Mounts | None
) -> LostDriver:
    """The driver that failed, with the reason and the page variables.

    driver: the one that is configured, if one is.
    """
    cause = start.known.cause if start.known else start.error
    if root is None:
        return LostDriver(driver_clause(driver), cause, _known_cure(start, root))
    prior = None if driver else _prior_driver(start.log)
    may_be_place = (driver or prior or OVERLAY) == OVERLAY and "not supported" in start.line.text
    unfit = _unfit_place(root, mounts) if may_be_place else ""
    if unfit:
        name = f'storage driver "{OVERLAY}"'
        return LostDriver(name, unfit, {"unfit": root.path}, is_about_place=True)
    if prior is None:
        return LostDriver(driver_clause(driver), cause, _known_cure(start, root))
    name = f'storage driver "{prior}", in which {root.path} was written,'
    old = {"old": f"{root.path}/{prior}"}
    return LostDriver(name, cause, old | _known_cure(start, root))


def driver_clause(driver: Json) -> str:
    """The storage driver by its name, where one is configured."""
    return f'storage driver "{driver}"' if driver else "the storage driver"


def _known_cure(start: FailedStart, root: DataRoot | None) -> PageVariables:
    """The variables of the page where the error that ended the start is a known one."""
    if start.known is None:
        return {}
    return page_variables(start.known, root) | _folder_of_other_driver(start.known, root)


def _unfit_place(root: DataRoot, mounts: Mounts | None) -> str:
    """The reason why overlay2 does not work on the file system of the data root; "" without one.

    The upper folder of an overlay needs a file system with extended attributes and file types,
    which no share and no overlay has.
    """
    mounted = mounts.of(root.path) if mounts is not None else None
    if mounted is None or mounted.fstype.partition(".")[0] not in NOT_FOR_OVERLAY:
        return ""
    return (
        f"its data root {root.path} lies on {mounted.fstype} (mounted at {mounted.point}), which "
        "overlay2 does not work on"
    )


def _folder_of_other_driver(recognised: Recognised, root: DataRoot | None) -> PageVariables:
    """The folder of the other driver, where the data root holds overlay2 and one more."""
    drivers = set(recognised.values.get("drivers", "").replace(" ", "").split(","))
    other_drivers = sorted(drivers - {"overlay2"})
    if root is None or "overlay2" not in drivers or len(other_drivers) != 1:
        return {}
    return {"old": f"{root.path}/{other_drivers[0]}"}


def _prior_driver(log: DaemonLog) -> str | None:
    """The driver of the data in the data root, where the engine reports that it cannot use it."""
    matches = [match for line in log.lines if (match := _PRIOR.search(line.text))]
    return matches[-1]["driver"] if matches else None
