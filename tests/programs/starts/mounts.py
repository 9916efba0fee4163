"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/mounts.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "layer-moved": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: stale file handle",
        {"layerless": "app"},
    ),
    "layer-damaged": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: structure needs cleaning",
        {"kernel_says": "overlay"},
    ),
    "layer-mounted": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: device or resource busy",
        {"layer": "/var/lib/docker/overlay2/2f8a9c"},
    ),
    "layer-gone": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: no such file or directory",
        {"layerless": "app"},
    ),
    "layer-refused": (
        "error creating overlay mount to /var/lib/docker/overlay2/2f8a9c/merged: too many levels of symbolic links",
        {"kernel_says": "overlay"},
    ),
    "layer-lost": ("RWLayer of container 71b2 is unexpectedly nil", {"layerless": "app"}),
    "snapshot-gone": (
        "failed to mount rootfs component: snapshot 71b2 does not exist: not found",
        {"layerless": "app"},
    ),
    "folder-missing": (
        'chdir to cwd ("/srv/work") set in config.json failed: no such file or directory',
        {"added": "--workdir=/"},
    ),
    "folder-denied": (
        'chdir to cwd ("/root/app") set in config.json failed: permission denied',
        {"added": "--workdir=/"},
    ),
    "folder-is-file": ("Cannot mkdir: /etc/passwd is not a directory", {"added": "--workdir=/"}),
    "volume-over-file": (
        "cannot mount volume over existing file, file exists /var/lib/docker/overlay2/2f8a/merged/etc/app.conf",
        {},
    ),
    "mountpoint-missing": (
        'error mounting "/srv/app/app.conf" to rootfs at "/etc/app.conf": create mountpoint for /etc/app.conf mount: make mountpoint "/etc/app.conf": openat /etc/app.conf: read-only file system',
        {"mountpoint_of": "/etc/app.conf"},
    ),
    "filesystem-unknown": (
        'error mounting "mqueue" to rootfs at "/dev/mqueue": mount mqueue:/dev/mqueue (via /proc/self/fd/9), flags: 0xe: no such device',
        {"kernel_has": "/proc/filesystems"},
    ),
    "cgroup-named": (
        'error mounting "cgroup" to rootfs at "/sys/fs/cgroup": mount cgroup:/sys/fs/cgroup/systemd (via /proc/self/fd/7), flags: 0xf, data: name=systemd: operation not permitted',
        {"hierarchy": "systemd"},
    ),
    "sysfs-denied": (
        'error mounting "sysfs" to rootfs at "/sys": mount sysfs:/sys (via /proc/self/fd/7), flags: 0xf: operation not permitted',
        {"added": "--userns=host"},
    ),
    "not-shared": (
        "path /srv/app is mounted on / but it is not a shared mount",
        {"propagated": "/"},
    ),
    "source-below-file": (
        "error while creating mount source path '/srv/app/app.conf/sub': mkdir /srv/app/app.conf: not a directory",
        {"in_the_way": "/srv/app/app.conf"},
    ),
    "source-no-room": (
        "error while creating mount source path '/srv/app/data': mkdir /srv/app/data: no space left on device",
        {"full": "/"},
    ),
    "source-missing": (
        'invalid mount config for type "bind": bind source path does not exist: /srv/app/nosuch',
        {"device": "/srv/app/nosuch"},
    ),
    "tmpfs-options": (
        'error mounting "tmpfs" to rootfs at "/cache": mount tmpfs:/cache (via /proc/self/fd/7), flags: 0xe, data: size=1x: invalid argument',
        {"tmpfs": "/cache"},
    ),
    "recursive-read-only": ('rro is not supported by runtime "runc"', {}),
    "setting-of-the-host": (
        "open /proc/sys/net/core/rmem_max: permission denied",
        {"without": "sysctl"},
    ),
    "setting-unknown": (
        "open /proc/sys/net/ipv6/conf/all/disable_ipv6: no such file or directory",
        {"without": "sysctl"},
    ),
    "setting-refused": (
        "write sysctl key net.ipv4.ip_local_port_range: write /proc/sys/net/ipv4/ip_local_port_range: invalid argument",
        {"without": "sysctl"},
    ),
    "setting-read-only": (
        "open /proc/sys/net/core/somaxconn: read-only file system",
        {"without": "sysctl"},
    ),
    "host-name": ("sethostname: invalid argument", {"without": "hostname"}),
}
