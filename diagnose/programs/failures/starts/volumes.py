"""Volumes that cannot be mounted for a start: shares, disks, plugins, in plain words."""

from diagnose.programs.failures.recognition import Failure

_NFS = r"local volume: mount :(?P<export>/[^:]*):\S+_data,.*addr=(?P<server>[^,:\s]+)[^:]*: "
_SMB = r"local volume: mount //(?P<server>[^/\s:]+)/(?P<share>[^:\s]+):\S+_data.*: "
_DISK = r"local volume: mount (?P<device>/dev/[^:\s]+):\S+_data.*: "

VOLUMES = (
    Failure(
        name="nfs-refused",
        mark="addr=",
        pattern=_NFS + r"connection refused",
        cause="no NFS server listens on {server}, which has {export} of its volume",
        cure="start the NFS server there, or open port 2049",
        source="moby/moby#47274",
        page={"nfs_server": "{server}", "nfs_port": "{server}:2049"},
    ),
    Failure(
        name="nfs-denied",
        mark="addr=",
        pattern=_NFS + r"(?:permission denied|operation not permitted)",
        cause="the NFS server {server} does not let this host mount {export} of its volume",
        cure="add this host to /etc/exports there, and run exportfs -ra",
        page={"nfs_server": "{server}", "nfs_port": "{server}:2049"},
    ),
    Failure(
        name="nfs-missing",
        mark="addr=",
        pattern=_NFS + r"no such file or directory",
        cause="the NFS server {server} has no {export}, which its volume asks for",
        cure="correct the device of the volume, or export that folder there",
        page={"nfs_server": "{server}", "nfs_port": "{server}:2049"},
    ),
    Failure(
        name="nfs-silent",
        mark="addr=",
        pattern=_NFS
        + r"(?:connection timed out|no route to host|network is unreachable|host is down)",
        cause="the NFS server {server} of its volume does not answer",
        cure="see whether the server is up, and whether a firewall is on the way",
        page={"nfs_server": "{server}", "nfs_port": "{server}:2049"},
    ),
    Failure(
        name="nfs-version",
        mark="not supported",
        pattern=_NFS + r"(?:protocol|operation) not supported",
        cause="the NFS server {server} does not speak the NFS version that its volume asks for",
        cure="create the volume again with another vers= or nfsvers=",
        page={"nfs_server": "{server}", "nfs_port": "{server}:2049"},
    ),
    Failure(
        name="nfs-without-server",
        mark="invalid argument",
        pattern=r"local volume: mount :(?P<export>/[^:]*):\S+_data(?!.*addr=).*: invalid argument",
        cause="its NFS volume names no server: addr= is not in its options",
        cure="create the volume again with o=addr=SERVER",
        source="moby/moby#30411",
        page={"volume": "{volume}"},
    ),
    Failure(
        name="volume-name-unknown",
        mark="volume address",
        pattern=r"network volume address: lookup (?P<server>[\w.-]+).*: .+",
        cause="this host cannot resolve {server}, the server of its volume",
        cure="fix the name, /etc/hosts or the resolver, or use an address",
        page={"volume_server": "{server}"},
    ),
    Failure(
        name="smb-denied",
        mark="mount //",
        pattern=_SMB + r"permission denied",
        cause="the SMB server {server} refuses the user or password of its volume for {share}",
        cure="create the volume again with the right username and password",
        page={"smb_port": "{server}:445"},
    ),
    Failure(
        name="smb-version",
        mark="mount //",
        pattern=_SMB + r"(?:host is down|operation not supported)",
        cause="the SMB server {server} of its volume is down, or does not speak the version of SMB "
        "that the volume asks for",
        cure="create the volume again with vers=3.0, or see whether the server answers",
        source="moby/moby#27776",
        page={"smb_port": "{server}:445"},
    ),
    Failure(
        name="smb-missing",
        mark="mount //",
        pattern=_SMB + r"no such (?:file or directory|device or address)",
        cause="the SMB server {server} has no share {share}, which its volume asks for",
        cure="create the volume again with the right share",
        page={"smb_port": "{server}:445"},
    ),
    Failure(
        name="disk-in-use",
        mark="resource busy",
        pattern=_DISK + r"device or resource busy",
        cause="{device}, the disk of its volume, is in use: mounted elsewhere with other options, "
        "or part of a RAID or LVM",
        cure="unmount it there, or create the volume on the right device",
        page={"disk": "{device}"},
    ),
    Failure(
        name="disk-of-another-type",
        mark="/dev/",
        pattern=_DISK + r"(?:invalid argument|wrong fs type)",
        cause="{device} does not hold the file system that its volume asks for (type=)",
        cure="create the volume again with the type that lsblk shows",
        page={"disk": "{device}"},
    ),
    Failure(
        name="disk-damaged",
        mark="structure needs cleaning",
        pattern=_DISK + r"structure needs cleaning",
        cause="the file system on {device}, the disk of its volume, is damaged",
        cure="check it with fsck while it is not mounted",
        page={"damaged": "{device}"},
    ),
    Failure(
        name="volume-without-device",
        mark="missing device",
        pattern=r"missing device in volume options",
        cause="its volume was created with options, and without a device",
        cure="create the volume again with device=",
        page={"volume": "{volume}"},
    ),
    Failure(
        name="volume-plugin-failed",
        mark="volumedriver.mount",
        pattern=r"VolumeDriver\.Mount: (?P<said>.{1,160})",
        cause="its volume plugin could not mount the volume: {said}",
        cure="see the plugin's own log",
        page={"volume": "{volume}"},
    ),
)
