"""Lines of real logs for the rows of `diagnose/programs/failures/host/rights.py`."""

from __future__ import annotations

LINES = {
    "netlink-capability": "00[KNL] received netlink error: Operation not permitted (1)",
    "clock-capability": "2026-12-01T14:09:30Z CAP_SYS_TIME not present",
    "privileged-asked": "ERROR: Rancher must be ran with the --privileged flag when running outside of Kubernetes",
    "systemd-groups": "Failed to create /init.scope control group: Read-only file system",
    "memory-groups-off": 'level=fatal msg="failed to find memory cgroup (v2)"',
    "loopback6-missing": "postfix/master[1]: fatal: parameter inet_interfaces: no local interface found for ::1",
    "descriptors-unbounded": "1758397856: OOM allocating 1073741816 fds",
    "display-missing": "_tkinter.TclError: no display name and no $DISPLAY environment variable",
    "export-unsupported": "exportfs: /nfsshare does not support NFS export",
    "groups-refused": "crond: can't set groups: Operation not permitted",
    "s6-user": (
        "/package/admin/s6-overlay/libexec/preinit: info: /run belongs to uid 0 instead of 1000, has insecure and/or "
        "unworkable permissions, and we're lacking the privileges to fix it."
    ),
}
