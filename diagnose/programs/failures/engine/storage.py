"""Starts of the engine that fail at its storage driver, its files and its data root."""

from diagnose.programs.failures.recognition import Failure

TORN = r"(?:unexpected end of JSON input|invalid character|EOF)"
"""Errors of the reader of JSON about a file that was not written to its end."""

STORAGE = (
    Failure(
        name="several-drivers",
        mark="valid graphdrivers",
        pattern=r"contains several valid graphdrivers: (?P<drivers>[\w-]+(?:, ?[\w-]+)*)",
        cause="the data root holds data of several storage drivers ({drivers}), "
        "and the configuration chooses none",
        cure='name the one in use as "storage-driver" in daemon.json, or move the others aside',
        source="moby/moby#23120",
    ),
    Failure(
        name="no-d-type",
        mark="d_type",
        pattern=r"formatted without d_type support|does not support d_type",
        cause="the disk of the data root (xfs) was made without ftype=1, which overlay2 needs",
        cure="move the data root to a file system that was made with ftype=1",
        source="moby/moby#27358",
    ),
    Failure(
        name="no-overlay",
        mark="failed to mount overlay",
        pattern=r"failed to mount overlay: no such device",
        cause="the kernel does not know the file system overlay: its module is not there",
        cure="load the module, or reboot into the installed kernel",
        source="docker/for-linux#1265",
        page={"module": "overlay"},
    ),
    Failure(
        name="driver-not-supported",
        mark="driver not supported",
        pattern=r"prior storage driver \W?[\w-]{2,30}\W? failed: driver not supported|error initializing graphdriver: driver not supported",
        cause="this kernel or engine does not have the storage driver that the data root was made with",
        cure="load its module (modprobe) or boot the kernel that had it; or move the data root aside and start with overlay2: "
        "then pull the images, create the containers, and copy the volumes",
        source="docker/for-linux#162",
    ),
    Failure(
        name="database-panics",
        mark=("already freed", "page expected", "bbolt", "freelist", "invalid page type"),
        pattern=r"bbolt[^\n]{0,200}freelist|bbolt[^\n]{0,100}\bpanic|panic: (?:page \d{1,9} already freed|freelist|invalid page type|assertion failed: Page expected)",
        cause="a small database of the engine or containerd is damaged, most often since the host lost its power",
        cure="stop docker, and move the file aside whose name stands above (/var/lib/docker/network/files/local-kv.db, "
        "/var/lib/docker/volumes/metadata.db, a buildkit *.db): the first is written afresh at the start",
        source="moby/moby#43072",
        confirmed_by="daemon.database-damaged",
    ),
    Failure(
        name="driver-removed",
        mark="deprecated and removed",
        pattern=r"the (?P<driver>[\w-]+) storage-driver has been deprecated and removed",
        cause="this engine no longer has the storage driver {driver}",
        cure="go back to the engine that had it to save what is needed, or start empty",
        source="docker docs storage drivers",
        page={"old": "{root}/{driver}"},
    ),
    Failure(
        name="size-needs-xfs",
        mark="overlay2.size",
        pattern=r"overlay2\.size only supported for backingFS XFS\. Found (?P<kind>\w+)",
        cause="overlay2.size needs a data root on xfs, and this one is on {kind}",
        cure="remove overlay2.size from storage-opts",
    ),
    Failure(
        name="size-needs-quota",
        mark="overlay2.size",
        pattern=r"overlay2\.size not supported\. Filesystem does not support Project Quota",
        cause="overlay2.size needs project quotas, and the data root is mounted without them",
        cure="mount the data root with pquota, or remove overlay2.size from storage-opts",
        source="moby/moby#38166",
    ),
)

FILES = (
    Failure(
        name="repositories-torn",
        mark="reference store",
        pattern=r"Couldn't create reference store repository: .*" + TORN,
        cause="repositories.json, its record of the images' names, is corrupt, "
        "as after a power cut or on a full disk",
        cure="move the file aside: images lose their names until they are pulled or tagged again",
        source="moby/moby#22097",
        page={"aside": "{root}/image/overlay2/repositories.json"},
    ),
    Failure(
        name="key-torn",
        mark="key.json",
        pattern=r"Error loading key file (?P<file>\S+): .*" + TORN,
        cause="its key file {file} is corrupt, as after a power cut",
        cure="move the file aside: the engine makes a new one",
        source="moby/moby#20718",
        page={"aside": "{file}"},
    ),
    Failure(
        name="database-locked",
        mark="timeout",
        pattern=r"(?:database \(|open database file )(?P<file>/[^\s):]+)\)?: timeout",
        cause="another process has its database {file} locked",
        cure="stop that process: most often another dockerd",
        source="moby/moby#22507",
        page={"locked": "{file}"},
    ),
    Failure(
        name="buildkit-locked",
        mark="buildkit",
        pattern=r"buildkit\S*:? .*timeout",
        cause="another process has the databases of its build cache locked",
        cure="stop that process: most often another dockerd",
        page={"locked": "{root}/buildkit/cache.db"},
    ),
    Failure(
        name="root-is-a-file",
        mark="points to a file",
        pattern=r"canonical path points to a file '(?P<file>[^']+)'",
        cause="a file has taken the place of its data root {file}",
        cure="move the file away, and put the folder back",
        page={"aside": "{file}"},
    ),
    Failure(
        name="root-leads-nowhere",
        mark="failed to stat target",
        pattern=r"failed to stat target '(?P<target>[^']+)' of '(?P<link>[^']+)'",
        cause="its data root {link} is a link to {target}, which is not there: "
        "most often the disk is not mounted",
        cure="mount the disk that belongs there",
        page={"lost": "{target}"},
    ),
    Failure(
        name="root-link-dangles",
        mark="file exists",
        pattern=r"mkdir (?P<link>/[^\s:]+): file exists",
        cause="its data root {link} is a link to a folder that is not there: "
        "most often the disk is not mounted",
        cure="mount the disk that belongs there",
        source="moby/moby#24155",
        page={"lost": "{root}"},
    ),
    Failure(
        name="root-not-reachable",
        mark="o+x",
        pattern=r"graphroot path \((?P<folder>/[^)]+)\) restricts access",
        cause="the remapped users may not pass through a folder above {folder}",
        cure="give that folder the x bit for others",
        source="moby/moby#40353",
        page={"entered": "{folder}"},
    ),
    Failure(
        name="database-on-read-only",
        mark="read-only file system",
        pattern=r"(?P<file>/(?:var/lib|var/run|run|etc)/(?:docker|containerd)\b[\w./@+-]{0,300}): read-only file system",
        cause="it cannot write {file}: that file system is mounted read-only, often by the kernel after an error of the disk",
        cure="look at findmnt -T {file} and at dmesg, mend the disk, and mount it for writing",
    ),
    Failure(
        name="disk-damaged",
        mark="structure needs cleaning",
        pattern=r"structure needs cleaning",
        cause="the file system that it writes to is damaged",
        cure="unmount that file system, and check it with fsck",
    ),
    Failure(
        name="run-is-full",
        mark="no space left",
        pattern=r"(?P<folder>/run|/var/run)/\S*: no space left on device",
        cause="/run, where it keeps its state, is full",
        cure="find what fills it, and remove that",
        page={"full": "{folder}"},
    ),
    Failure(
        name="file-for-folder",
        mark="not a directory",
        pattern=r"(?P<file>/[^\s:]+): not a directory",
        cause="{file} is a file, and the engine needs a folder there",
        cure="move the file aside: the engine makes the folder",
        page={"aside": "{file}"},
    ),
    Failure(
        name="folder-for-file",
        mark="is a directory",
        pattern=r"(?P<file>/[^\s:]+): is a directory",
        cause="{file} is a folder, and the engine needs a file there",
        cure="move the folder aside: the engine makes the file",
        page={"aside": "{file}"},
    ),
    Failure(
        name="link-to-itself",
        mark="too many levels of symbolic links",
        pattern=r"(?P<file>/[^\s:]+): too many levels of symbolic links",
        cause="{file} is a link that leads back to itself; in a container it may be a folder of autofs that was not "
        "mounted when it started",
        cure="namei -l {file} shows each link on the way: make the wrong one again",
        source="the kernel's ELOOP",
    ),
    Failure(
        name="path-immutable",
        mark="operation not permitted",
        pattern=r"(?:mkdir|open|create|chmod|chown|rename|remove|unlink(?:at)?) (?P<file>/[^\s:]+):"
        r" operation not permitted",
        cause="no user may change {file}: most often chattr has made it or its folder immutable",
        cure="remove the flag i with chattr -i (lsattr -d shows it)",
        page={"immutable": "{file}"},
    ),
)
