"""What container.mount-forbidden says of file systems that cannot do what a program asks for."""

from __future__ import annotations

import re

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.mounts.bind_mounts import NamedPath
from diagnose.evidence.storage.mounts import Mounts
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import Finding

_REFUSED = LazyPattern(
    r"operation not (?:permitted|supported)|\bE(?:PERM|NOTSUP|OPNOTSUPP)\b", re.IGNORECASE
)
_OWNS = LazyPattern(r"\bch(?:own|mod|grp)|owner|permissions of|changing group", re.IGNORECASE)
_LINKS = LazyPattern(r"\bsym(?:bolic )?link|\bhard ?link|\blink\b|\bln:", re.IGNORECASE)
_WITHOUT_OWNERS = frozenset(
    ["9p", "cifs", "exfat", "fuseblk", "msdos", "ntfs", "ntfs3", "smb3", "smbfs", "vfat", "vboxsf"]
)
"""File systems whose files belong to whom the mount says (mount.cifs(8), mount(8))."""
_WITHOUT_LINKS = frozenset(["cifs", "exfat", "msdos", "smb3", "smbfs", "vfat", "vboxsf"])
_OF_A_SERVER = frozenset(["nfs", "nfs4"])
"""With root_squash, the default, the server takes root for nobody: exports(5)."""


def unfit_filesystem(
    container: Container, named: NamedPath, mounts: Mounts | None
) -> Finding | None:
    """A file system of the host that does not do what the program asks of it; None where it may."""
    mounted = mounts.of(named.mount.source) if mounts is not None else None
    why = _why(container, named.line.replace(named.inside, " "), mounted.fstype) if mounted else ""
    if mounted is None or not why:
        return None
    return Finding.about(
        container,
        f"{container} {why} {named.inside}: {mounted.point} on the host is {mounted.fstype}",
        {**named.evidence, f"mount options of {mounted.point}": mounted.options},
        discriminator=named.mount.destination,
        touches=named.mount.volumes,
        onset=container.failed_first,
        unfit=mounted.point,
    )


def _why(container: Container, text: str, fstype: str) -> str:
    if not _REFUSED.search(text):
        return ""
    if _OWNS.search(text):
        dropped = {
            name.upper().removeprefix("CAP_") for name in container.host_config.cap_drop or ()
        }
        may_own = not dropped & {"ALL", "CHOWN"}
        keeps_none = fstype in _WITHOUT_OWNERS or (fstype in _OF_A_SERVER and may_own)
        return "cannot change the owner or mode of" if keeps_none else ""
    if _LINKS.search(text) and fstype in _WITHOUT_LINKS:
        return "cannot make a link in"
    return ""
