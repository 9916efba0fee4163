"""Capabilities that a program's file demands, and those of them that its container lacks. Pure.

`setcap cap_net_bind_service=+ep` at a build writes them into the file. Where the effective bit is
set, the kernel refuses to execute the file unless it can grant all of them (bprm_caps_from_vfs_caps
in security/commoncap.c).
"""

import struct

from diagnose.evidence.containers.inspect import HostConfig

_NAMES = (
    "CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID",
    "SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW",
    "IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT",
    "SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD",
    "LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG",
    "WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE",
)  # fmt: skip
"""By number: linux/capability.h."""
_BY_DEFAULT = frozenset((
    "AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD",
    "NET_BIND_SERVICE", "NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT",
))  # fmt: skip
"""The capabilities that the engine gives to a container by default."""
_HEAD = struct.Struct("<III")
_HIGH = struct.Struct("<I")
_EFFECTIVE = 1
ALL = "ALL"


def demanded_capabilities(attribute: str) -> tuple[str, ...]:
    """The names in a file's attribute security.capability (struct vfs_cap_data, in hex).

    None of them where the kernel executes the file without.
    """
    raw = bytes.fromhex(attribute)
    if len(raw) < _HEAD.size:
        return ()
    magic, permitted, _ = _HEAD.unpack_from(raw)
    if not magic & _EFFECTIVE:
        return ()
    if len(raw) >= _HEAD.size + _HIGH.size:
        permitted |= _HIGH.unpack_from(raw, _HEAD.size)[0] << 32
    return tuple(name for number, name in enumerate(_NAMES) if permitted & 1 << number)


def lacking_capabilities(demands: tuple[str, ...], config: HostConfig) -> tuple[str, ...]:
    """The capabilities that a file demands and its container does not have."""
    added = config.added_capabilities
    dropped = config.dropped_capabilities
    if config.privileged:
        return ()
    if ALL in added:
        return tuple(name for name in demands if name in dropped)
    by_default = frozenset() if ALL in dropped else _BY_DEFAULT - dropped
    return tuple(name for name in demands if name not in by_default | added)
