"""Volumes that cannot be mounted."""

from __future__ import annotations

from diagnose.evidence.storage.refused_volumes import FILESYSTEMS, RefusedVolumes
from diagnose.model import CheckResult, Finding, Json, Severity, container
from diagnose.phrases import counted, shortened
from diagnose.registry import check

MODULES = {
    "nfs": "nfs",
    "nfs4": "nfs",
    "cifs": "cifs",
    "smb3": "cifs",
    "ceph": "ceph",
    "glusterfs": "fuse",
}
"""The kernel module that brings a file system, where its name is another."""


@check(
    "storage.filesystem-unsupported", severity=Severity.critical, causes=["container.start-refused"]
)
def filesystem_unsupported(volumes: RefusedVolumes) -> CheckResult:
    """A volume needs a file system that the kernel does not know.

    mount(2) answers "no such device": the module is not installed, or cannot be loaded. Slim cloud
    kernels and minimal installations lack nfs and cifs. A volume whose file system the kernel knows
    by now is left alone.
    """
    for volume in volumes.items:
        kind = volume.fstype or "its file system"
        effect = f": {counted('container', volume.waiting)} cannot start" if volume.waiting else ""
        evidence: dict[str, Json] = {
            "the engine": shortened(volume.text),
            FILESYSTEMS: f"{kind} is not listed",
        }
        yield Finding(
            subject=volume.subject,
            summary=(
                f'volume "{volume.name}" cannot be mounted, '
                f"because the kernel does not know {kind}{effect}"
            ),
            evidence=evidence,
            variables={"module": MODULES.get(volume.fstype, volume.fstype)}
            if volume.fstype
            else {},
            severity=Severity.critical if volume.waiting else Severity.warning,
            touches=tuple(container(name) for name in volume.waiting),
            onset=volume.at,
        )
    return None
