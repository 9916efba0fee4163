"""Findings of container.mount-forbidden about file systems that cannot do what a program asks
for."""

import re

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.access.file_access import Denied
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath
from diagnose.evidence.storage.mounts import WITHOUT_OWNERS, Mounted, Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Finding, PageVariables

_REFUSED = LazyPattern(
    r"operation not (?:permitted|supported)|\bE(?:PERM|NOTSUP|OPNOTSUPP)\b", re.IGNORECASE
)
_OWNS = LazyPattern(r"\bch(?:own|mod|grp)|owner|permissions of|changing group", re.IGNORECASE)
_LINKS = LazyPattern(r"\bsym(?:bolic )?link|\bhard ?link|\blink\b|\bln:", re.IGNORECASE)
_WITHOUT_LINKS = frozenset(["cifs", "exfat", "msdos", "smb3", "smbfs", "vfat", "vboxsf"])
_OF_A_SERVER = frozenset(["nfs", "nfs4"])
"""With root_squash, the default, the server takes root for nobody: exports(5)."""


def unfit_filesystem(
    container: Container, named_path: NamedPath, mounts: Mounts | None
) -> Finding | None:
    """The finding about a file system of the host that cannot do what the program asks for; None
    where it may."""
    mounted = mounts.of(named_path.mount.source) if mounts is not None else None
    if mounted is None:
        return None
    words = named_path.line.replace(named_path.path_inside, " ")
    fault = _unsupported_clause(container, words, mounted.fstype)
    if not fault:
        return None
    return Finding.about(
        container,
        f"{container} {fault} {named_path.path_inside}: {mounted.point} on the host is {mounted.fstype}",
        {**named_path.evidence, f"mount options of {mounted.point}": mounted.options},
        discriminator=named_path.mount.destination,
        touches=named_path.mount.volumes,
        onset=container.failed_first,
        variables={"unfit": mounted.point},
    )


def mount_without_owners(path: str, mounts: Mounts | None) -> Mounted | None:
    """The mount of a path, if its options give all files there one owner and mode; else None."""
    mounted = mounts.of(path) if mounts is not None else None
    return mounted if mounted is not None and mounted.fstype in WITHOUT_OWNERS else None


def ownerless_clause(mounted: Mounted | None) -> str:
    """The clause that says that the options of this mount decide owner and mode; "" for None."""
    if mounted is None:
        return ""
    return f"{mounted.point} is {mounted.fstype}, where the mount options decide that for all files"


def mount_options(mounted: Mounted | None) -> dict[str, str]:
    """The options of the mount, as evidence; empty for None."""
    if mounted is None:
        return {}
    return {f"mount options of {mounted.point}": mounted.super or mounted.options}


def change_of_owner(denied: Denied, mounted: Mounted | None) -> PageVariables:
    """The page variables that give a path to the user to whom it is denied.

    mounted: the mount of the path, if no file there can be given to anybody.
    """
    owner = denied.user.owner
    if mounted is None:
        return {"source": denied.path, "owner": owner}
    uid, _, gid = owner.partition(":")
    return {"unfit": mounted.point, "ids": f"uid={uid},gid={gid}" if gid else f"uid={uid}"}


def _unsupported_clause(container: Container, text: str, fstype: str) -> str:
    """The operation that failed because this kind of file system does not have it; "" for none."""
    if not _REFUSED.search(text):
        return ""
    if _OWNS.search(text):
        dropped = {
            name.upper().removeprefix("CAP_") for name in container.host_config.cap_drop or ()
        }
        may_own = not dropped & {"ALL", "CHOWN"}
        keeps_none = fstype in WITHOUT_OWNERS or (fstype in _OF_A_SERVER and may_own)
        return "cannot change the owner or mode of" if keeps_none else ""
    if _LINKS.search(text) and fstype in _WITHOUT_LINKS:
        return "cannot make a link in"
    return ""
