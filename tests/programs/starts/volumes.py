"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/volumes.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "nfs-refused": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: connection refused",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-denied": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: permission denied",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-missing": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: no such file or directory",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-silent": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,rw: connection timed out",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-version": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: addr=10.0.0.9,vers=2: protocol not supported",
        {"nfs_server": "10.0.0.9", "nfs_port": "10.0.0.9:2049"},
    ),
    "nfs-without-server": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount :/export/data:/var/lib/docker/volumes/data/_data, data: rw,soft: invalid argument",
        {"volume": "data"},
    ),
    "volume-name-unknown": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': error resolving passed in network volume address: lookup nas.lan on 192.0.2.53:53: no such host",
        {"volume_server": "nas.lan"},
    ),
    "smb-denied": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app,password=********: permission denied",
        {"smb_port": "nas.lan:445"},
    ),
    "smb-version": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app: host is down",
        {"smb_port": "nas.lan:445"},
    ),
    "smb-missing": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount //nas.lan/share:/var/lib/docker/volumes/data/_data, data: username=app: no such file or directory",
        {"smb_port": "nas.lan:445"},
    ),
    "disk-in-use": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: device or resource busy",
        {"disk": "/dev/sdb1"},
    ),
    "disk-of-another-type": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: wrong fs type, bad option, bad superblock",
        {"disk": "/dev/sdb1"},
    ),
    "disk-damaged": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': failed to mount local volume: mount /dev/sdb1:/var/lib/docker/volumes/data/_data: structure needs cleaning",
        {"damaged": "/dev/sdb1"},
    ),
    "volume-without-device": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': missing device in volume options",
        {"volume": "data"},
    ),
    "volume-plugin-failed": (
        "error while mounting volume '/var/lib/docker/volumes/data/_data': VolumeDriver.Mount: error mounting data: exit status 32, output: mount.nfs: access denied by server while mounting 10.0.0.9:/export/data",
        {"volume": "data"},
    ),
}
