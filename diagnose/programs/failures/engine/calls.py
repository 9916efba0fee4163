"""System calls that the kernel or the network refused to the engine, containerd, runc or BuildKit.

A message of Docker ends in the call that failed: the file, and the kernel's reason. Where no other
row knows the message, that end is explained: the meaning of the reason, and a command that shows
its cause.
"""

from diagnose.programs.failures.recognition import Failure

_PATH = r"(?P<path>/[\w./@+%-]{1,300})"
_END = r"\"?['\"]?: (?:[\w ]{1,40}: )?"

ENGINE_CALLS = (
    Failure(
        name="file-read-only",
        mark="read-only file system",
        pattern=_PATH + _END + r"read-only file system",
        cause="{path} lies on a file system that is mounted read-only: often the kernel made it so after an error of the disk",
        cure="findmnt -T {path} shows the mount, and dmesg -T | grep -iE 'error|remount' the reason",
        confirmed_by="storage.read-only",
    ),
    Failure(
        name="file-without-room",
        mark="no space left on device",
        pattern=_PATH + _END + r"no space left on device",
        cause="the file system of {path} has no room left, or no inodes",
        cure="df -h {path}; df -i {path}: the first shows the room, the second the inodes",
        confirmed_by="storage.disk-full",
    ),
    Failure(
        name="file-over-quota",
        mark="disk quota exceeded",
        pattern=_PATH + _END + r"disk quota exceeded",
        cause="a quota of the file system of {path} is used up: of its owner, group or project (ZFS and btrfs: of the data set)",
        cure="quota -s, xfs_quota -x -c 'report -h', zfs get quota or btrfs qgroup show name it: raise it, or free room",
        confirmed_by="storage.quota-exceeded",
    ),
    Failure(
        name="file-damaged",
        mark="e",
        pattern=_PATH + _END + r"(?P<why>input/output error|structure needs cleaning|bad message)",
        cause="the disk or the file system under {path} is damaged ({why})",
        cure="dmesg -T | grep -iE 'I/O error|ext4|xfs|btrfs' names the disk; save the data before fsck",
        confirmed_by="kernel.filesystem-errors",
    ),
    Failure(
        name="file-of-lost-server",
        mark=("file handle", "host is down", "transport endpoint"),
        pattern=_PATH
        + _END
        + r"(?P<why>stale (?:NFS )?file handle|transport endpoint is not connected|host is down)",
        cause="{path} lies on a network or FUSE mount whose server is gone ({why})",
        cure="umount -l that mount and mount it again (findmnt -T {path}), then start the container again",
    ),
    Failure(
        name="file-busy",
        mark="busy",
        pattern=_PATH + _END + r"(?:device or resource busy|text file busy)",
        cause="something still uses {path}: a mount on it, or a process that has it open",
        cure="grep -l {path} /proc/[0-9]*/mountinfo names processes with the mount; fuser -vm {path} those with files",
    ),
    Failure(
        name="files-too-many",
        mark="too many open files",
        pattern=r"too many open files(?: in system)?",
        cause="the engine (or the kernel) has reached its limit of open files",
        cure="systemctl show -p LimitNOFILE docker containerd; cat /proc/sys/fs/file-nr; restart what leaks, or raise the limit",
        confirmed_by="resources.open-files-exhausted",
    ),
    Failure(
        name="memory-refused",
        mark="cannot allocate memory",
        pattern=r"cannot allocate memory",
        cause="the kernel had no memory for this call: the host, or the group of the engine, is out of memory or of one of "
        "its tables",
        cure="free -m; dmesg -T | tail -20 shows what was refused",
        confirmed_by="resources.memory-scarce",
    ),
    Failure(
        name="file-forbidden",
        mark="permission denied",
        pattern=_PATH + _END + r"permission denied",
        cause="the engine, or the container's user, may not use {path}: a folder above it, SELinux or AppArmor refuses, "
        "or the engine is rootless",
        cure="namei -l {path} shows the rights of each folder; dmesg -T | grep -i denied what a profile refused",
    ),
    Failure(
        name="terminal-withdrawn",
        mark="operation not permitted",
        pattern=r"open (?P<path>/dev/(?:pts/\d{1,6}|ptmx|console|tty))\"?: operation not permitted",
        cause="the container has lost its right to terminals ({path}): something rewrote the device rules of its control "
        "group, as systemctl daemon-reload does under some versions of runc",
        cure="restart that container with docker restart; a newer runc keeps the rules",
        source="opencontainers/runc#3551",
    ),
    Failure(
        name="file-not-permitted",
        mark="operation not permitted",
        pattern=_PATH + _END + r"operation not permitted",
        cause="the kernel forbids that for {path} even to root: the file is immutable, the file system does not support it "
        "(a network share), or the engine itself runs in a container",
        cure="lsattr -d {path} (i is immutable) and findmnt -T {path} show which",
    ),
    Failure(
        name="call-not-permitted",
        mark="operation not permitted",
        pattern=r"(?P<what>\w[\w /\"'.-]{2,99}): operation not permitted",
        cause="the kernel forbids it to the engine ({what}): it lacks a privilege, as it does when it runs rootless or in a "
        "container (LXC, docker in docker)",
        cure="systemd-detect-virt -c says whether this host is a container; then allow nesting, or run that one privileged",
    ),
    Failure(
        name="path-is-a-file",
        mark="not a directory",
        pattern=_PATH + _END + r"not a directory",
        cause="a part of {path} is a file where a folder has to be",
        cure="namei -l {path} shows which part",
    ),
    Failure(
        name="path-is-a-folder",
        mark="is a directory",
        pattern=_PATH + _END + r"is a directory",
        cause="{path} is a folder where a file has to be: docker makes an empty folder for a source that is missing",
        cure="ls -ld {path}; remove the empty folder, and put the file there",
    ),
    Failure(
        name="socket-unanswered",
        mark="dial unix",
        pattern=r"dial unix(?::/?/?)? ?(?P<path>/[\w./@+%-]{1,200}): (?:connect: )?(?P<why>connection refused|no such file or directory|timeout"
        r"|i/o timeout|permission denied)",
        cause="the program that serves the socket {path} is not running, or does not answer ({why})",
        cure="ls -l {path}; ss -xlp | grep {path} shows who serves it: start that program again",
    ),
    Failure(
        name="file-missing",
        mark="no such file or directory",
        pattern=_PATH + _END + r"no such file or directory",
        cause="there is no {path} where the engine looks for it: it was deleted, or the disk that has it is not mounted",
        cure="namei -l {path} shows which part is missing; findmnt shows what is mounted",
    ),
    Failure(
        name="server-unreached",
        mark="dial ",
        pattern=r"dial (?P<kind>tcp|udp)\d? (?P<address>[\w.:\[\]-]{3,120}): (?:connect: )?(?P<why>connection refused|no route to host"
        r"|network is unreachable|i/o timeout|connection timed out|connection reset by peer)",
        cause="the server at {address} was not reached: {why}",
        cure="check from this host that something listens at {address} and that no firewall stands between",
    ),
)
"""The first row that fits counts: reasons that name a cause come before those that have many."""
