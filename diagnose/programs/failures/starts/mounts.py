"""Starts that fail at a mount, a layer or a setting of the kernel, in plain words."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.mount_errors import UNMADE_SOURCE

MOUNTS = (
    Failure(
        name="folder-missing",
        mark="chdir to cwd",
        pattern=r'chdir to cwd \("(?P<folder>[^"]+)"\) set in config.json failed: '
        r"(?:no such file|not a directory)",
        cause="its working directory {folder} does not exist in it",
        cure="mount what belongs there, or recreate it with --workdir=/",
        page={"added": "--workdir=/"},
    ),
    Failure(
        name="folder-denied",
        mark="chdir to cwd",
        pattern=r'chdir to cwd \("(?P<folder>[^"]+)"\) set in config.json failed: permission denied',
        cause="its user may not enter its working directory {folder}",
        cure="give that folder the x bit for its user, or recreate it with --workdir=/",
        source="moby/moby#24408",
        page={"added": "--workdir=/"},
    ),
    Failure(
        name="folder-is-file",
        mark="cannot mkdir",
        pattern=r"Cannot mkdir: (?P<folder>\S+) is not a directory",
        cause="its working directory {folder} is a file in its image",
        cure="recreate it with --workdir=/",
        page={"added": "--workdir=/"},
    ),
    Failure(
        name="volume-over-file",
        mark="over existing file",
        pattern=r"cannot mount volume over existing file, file exists \S*/merged(?P<path>/\S+)",
        cause="it mounts a volume at {path}, where its image has a file",
        cure="mount the volume at a folder, or bind a single file there",
        source="moby/moby#29133",
    ),
    Failure(
        name="mountpoint-missing",
        mark="read-only file system",
        pattern=r"create mountpoint for (?P<target>\S+) mount: .*read-only file system",
        cause="the mount point {target} is missing in another mount, which is read-only, so it cannot be created there",
        cure="make an empty file or folder of that name in the outer mount's source on the host",
        source="opencontainers/runc#1523",
        page={"mountpoint_of": "{target}"},
    ),
    Failure(
        name="filesystem-unknown",
        mark="no such device",
        pattern=r'error mounting "(?P<kind>mqueue|cgroup2?|overlay|tmpfs|devpts)" .*: no such device',
        cause="this kernel has no file system {kind}",
        cure="boot a kernel that has it (mqueue: CONFIG_POSIX_MQUEUE)",
        page={"kernel_has": "/proc/filesystems"},
    ),
    Failure(
        name="cgroup-named",
        mark="name=systemd",
        pattern=r'error mounting "cgroup" .*name=(?P<named>systemd): '
        r"(?:operation not permitted|no such|invalid)",
        cause="the host has no cgroup hierarchy named {named}",
        cure="mount it: mount -t cgroup -o none,name={named} cgroup /sys/fs/cgroup/{named}",
        source="docker/for-linux#219",
        page={"hierarchy": "{named}"},
    ),
    Failure(
        name="sysfs-denied",
        mark='mounting "sysfs"',
        pattern=r'mounting "sysfs" .*operation not permitted',
        cause="the runtime may not mount /sys: the container has the host's network and a user "
        "namespace of its own, or the engine runs in a container",
        cure="recreate it with --userns=host, or without the host's network",
        source="opencontainers/runc#1658",
        page={"added": "--userns=host"},
    ),
    Failure(
        name="not-shared",
        mark="is not a shared",
        pattern=r"path (?P<path>\S+) is mounted on (?P<point>\S+) but it is not a shared",
        cause="it asks for mount propagation, and {path} lies on {point}, which is not shared",
        cure="share the mount: mount --make-rshared {point}",
        source="moby/moby#24391",
        page={"propagated": "{point}"},
    ),
    Failure(
        name="source-below-file",
        mark="not a directory",
        pattern=UNMADE_SOURCE + r"not a directory",
        cause="{path} cannot be made on the host: {made} is a file there",
        cure="correct the path of the mount, or move that file away",
        page={"in_the_way": "{made}"},
    ),
    Failure(
        name="source-no-room",
        mark="no space left",
        pattern=UNMADE_SOURCE + r"no space left on device",
        cause="the engine cannot make {path} on the host: the disk there is full",
        cure="make room there, and start the container again",
        page={"full": "/"},
    ),
    Failure(
        name="source-missing",
        mark="bind source path",
        pattern=r"bind source path does not exist: (?P<path>\S+)",
        cause="there is no {path} on the host",
        cure="mount the disk that belongs there, or make the folder",
        page={"device": "{path}"},
    ),
    Failure(
        name="tmpfs-options",
        mark='"tmpfs"',
        pattern=r'error mounting "tmpfs" to rootfs at "(?P<path>[^"]+)": '
        r".*data: (?P<options>[^:]*): invalid argument",
        cause="the kernel refuses the options of its tmpfs {path} ({options})",
        cure="recreate it with other options of --tmpfs",
        page={"tmpfs": "{path}"},
    ),
    Failure(
        name="recursive-read-only",
        mark="rro is not supported",
        pattern=r"rro is not supported",
        cause="it asks for a recursive read-only mount, "
        "which this runtime or this kernel (before 5.12) cannot make",
        cure="update runc or the kernel, or mount without bind-recursive=readonly",
    ),
)

SYSCTLS = (
    Failure(
        name="setting-of-the-host",
        mark="/proc/sys/",
        pattern=r"open /proc/sys/(?P<path>net/core/[rw]mem_(?:max|default)(?=: no such file)"
        r"|\S+?(?=: permission denied))",
        cause="{path} is a setting of the whole host, which no container can change",
        cure="set it on the host with sysctl -w, and recreate the container without that --sysctl",
        source="syncthing/syncthing#7542",
        page={"without": "sysctl"},
    ),
    Failure(
        name="setting-unknown",
        mark="/proc/sys/",
        pattern=r"open /proc/sys/(?P<path>\S+?): no such file",
        cause="the host's kernel has no setting {path} for it",
        cure="recreate it without that --sysctl; a module or IPv6 that is off may bring it",
        page={"without": "sysctl"},
    ),
    Failure(
        name="setting-refused",
        mark="/proc/sys/",
        pattern=r"write /proc/sys/(?P<path>\S+): invalid argument",
        cause="the kernel refuses the value that it asks for {path}",
        cure="recreate it without that --sysctl, or with a different value",
        page={"without": "sysctl"},
    ),
    Failure(
        name="setting-read-only",
        mark="/proc/sys/",
        pattern=r"/proc/sys/(?P<path>\S+?): read-only file system",
        cause="{path} cannot be set for it: it has the network of the host, "
        "or the engine runs in a container",
        cure="set it on the host, and recreate the container without that --sysctl",
        page={"without": "sysctl"},
    ),
    Failure(
        name="host-name",
        mark="sethostname",
        pattern=r"sethostname: invalid argument",
        cause="its host name is longer than the 64 characters that the kernel takes",
        cure="recreate it with a shorter --hostname",
        page={"without": "hostname"},
    ),
)

_OVERLAY = r"(?:error creating overlay mount to|failed to mount) (?P<layer>/\S+?)(?:/merged)?: "

LAYERS = (
    Failure(
        name="layer-moved",
        mark="stale file handle",
        pattern=_OVERLAY + r".*stale file handle",
        cause="its layers were copied, restored or changed since it was made, "
        "and the kernel does not put them together again",
        cure="recreate it: it gets a new layer of its own",
        source="moby/moby#34320",
        page={"layerless": "{container}"},
    ),
    Failure(
        name="layer-damaged",
        mark="structure needs cleaning",
        pattern=_OVERLAY + r".*structure needs cleaning",
        cause="the file system of the data root is damaged",
        cure="stop the engine, unmount that file system and check it with fsck",
        page={"kernel_says": "overlay"},
    ),
    Failure(
        name="layer-mounted",
        mark="resource busy",
        pattern=_OVERLAY + r".*device or resource busy",
        cause="its layer is still mounted somewhere, also in another program's namespace",
        cure="find who holds the mount, and end or restart that program",
        source="moby/moby#36910",
        page={"layer": "{layer}"},
    ),
    Failure(
        name="layer-gone",
        mark=("overlay mount", "failed to mount"),
        pattern=_OVERLAY + r".*no such file",
        cause="folders of its layers are gone from the data root",
        cure="remove and pull its image, and recreate it",
        source="moby/moby#41190",
        page={"layerless": "{container}"},
    ),
    Failure(
        name="layer-refused",
        mark=("overlay mount", "failed to mount"),
        pattern=_OVERLAY + r".*(?:invalid argument|too many levels of symbolic links)",
        cause="the kernel refuses to mount its layers; its own log says why",
        cure="read the kernel's lines about overlayfs",
        source="moby/moby#39663",
        page={"kernel_says": "overlay"},
    ),
    Failure(
        name="layer-lost",
        mark=("rwlayer of container", "rw layer snapshot"),
        pattern=r"RWLayer of container \S+ is unexpectedly nil|rw layer snapshot not found",
        cause="the engine has lost its writable layer, with what it wrote outside volumes",
        cure="recreate it: it gets a new layer",
        source="moby/moby#38943",
        page={"layerless": "{container}"},
    ),
    Failure(
        name="snapshot-gone",
        mark="snapshot",
        pattern=r"snapshot \S+ does not exist: not found",
        cause="containerd has lost its writable layer, with what it wrote outside volumes",
        cure="recreate it: it gets a new layer",
        source="moby/moby#47067",
        page={"layerless": "{container}"},
    ),
)
