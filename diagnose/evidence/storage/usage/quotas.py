"""Quotas of file systems: the mounts with one, and the engine's errors about them."""

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import named_path
from diagnose.evidence.engine.said_errors import SaidErrors
from diagnose.evidence.images.pulls.pulls import Pulls
from diagnose.evidence.storage.backing_devices import Backing, Behind
from diagnose.evidence.storage.mounts import Mounted
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import only

ALWAYS = frozenset({"btrfs", "zfs", "nfs", "nfs4", "cifs", "ceph"})
"""File systems whose quotas no mount option shows."""
OPTIONS = frozenset({"quota", "usrquota", "grpquota", "prjquota", "uquota", "gquota", "pquota"})
_OF_ENGINE = LazyPattern(r"(?<!key: )disk quota exceeded")
"""Kernel keys have a quota too."""
_COPIED = LazyPattern(r"Handler for PUT \S*/containers/\S+/archive")
"""The limit in an error of `docker cp`: most often the size of the container's writable layer, or
of a volume."""
_PATH = LazyPattern(r"(?:^|[\s'\"])(/[^\s:'\"]+)")


class QuotaError(msgspec.Struct, frozen=True, order=True):
    """The quota error of the engine, and its time."""

    at: float
    text: str


def quota_error_of_engine(
    root: str, engine_errors: SaidErrors | None, pulls: Pulls | None
) -> QuotaError | None:
    """The last error of the engine about a quota at its data root."""
    failed_pulls = pulls.of("no-space") if pulls is not None else ()
    errors = [QuotaError(error.line.at or 0.0, error.line.text) for error in engine_errors or ()]
    errors += [QuotaError(trouble.last, trouble.text) for trouble in failed_pulls]
    of_quotas = (error for error in errors if _OF_ENGINE.search(error.text))
    return max((error for error in of_quotas if _may_be_of(root, error.text)), default=None)


def _may_be_of(root: str, text: str) -> bool:
    """Whether an error is about the data root: a failed pull names paths inside the image alone."""
    if _COPIED.search(text):
        return False
    paths = _PATH.findall(text.rpartition(" returned error: ")[2])
    on_host = [path for path in paths if path.count("/") > 1]
    return "register layer" in text or not on_host or any(is_within(path, root) for path in on_host)


def limited_mount(container: Container, line: str, backing: Backing) -> Behind | None:
    """The mount that the line names, or the only one on a file system with quotas."""
    able = [
        backed
        for backed in backing
        if backed.container.id == container.id and backed.mount.rw and has_quotas(backed.mounted)
    ]
    path = named_path(container, line)
    if path is not None:
        return next((backed for backed in able if backed.mount == path.mount), None)
    return only(able)


def has_quotas(mounted: Mounted) -> bool:
    """Whether a file system counts the usage of its users or projects."""
    options = {*mounted.options.split(","), *mounted.super.split(",")}
    return mounted.fstype in ALWAYS or bool(options & OPTIONS)
