"""Lines of the kernel's log that people paste, with what they mean for containers.

Some look like failures and are none: that is worth a sentence too.
"""

from diagnose.lazy_pattern import LazyPattern
from diagnose.programs.failures.recognition import Failure

_FAULTS = (
    Failure(
        name="netdevice-kept",
        mark="unregister_netdevice",
        pattern=r"unregister_netdevice: waiting for (?P<device>[\w.-]{1,16}) to become free",
        cause="the kernel cannot give up the network of a container that has ended, because something still holds {device}: "
        "a defect of the kernel",
        cure="containers may hang at start until then; a reboot clears it, and a newer kernel avoids it",
        source="moby/moby#5618",
        confirmed_by="kernel.netdevice-stuck",
    ),
    Failure(
        name="folder-full",
        mark="index full",
        pattern=r"EXT4-fs warning \(device (?P<device>[\w.-]{1,64})\): ext4_dx_add_entry:(?:\d+:)? ?Directory (?:\(ino: (?P<inode>\d{1,20})\) )?index full",
        cause="one folder of {device} holds so many files that ext4 accepts no more names: "
        "programs see No space left on device, although blocks and inodes are free",
        cure="find MOUNTPOINT -xdev -inum NUMBER names the folder of the line; remove or spread its files, or switch large_dir on "
        "(tune2fs -O large_dir, then mount again)",
        confirmed_by="storage.folder-full",
    ),
    Failure(
        name="task-hangs",
        mark="blocked for more than",
        pattern=r"task (?P<program>[^\s:]{1,40}):(?P<pid>\d{1,8}) blocked for more than (?P<seconds>\d{1,6}) seconds",
        cause="process {pid} ({program}) waits in the kernel for more than {seconds} s: most often for a disk or a network file system",
        cure="cat /proc/{pid}/stack shows where it waits; dmesg -T and iostat -x 1 3 show the disk",
        confirmed_by="kernel.hung-task",
    ),
    Failure(
        name="killed-at-limit",
        mark="memory cgroup out of memory",
        pattern=r"Memory cgroup out of memory: Kill(?:ed)? process (?P<pid>\d{1,8}) \((?P<program>[^)\n]{1,40})\)",
        cause="{program} reached the memory limit of its container, and the kernel killed it",
        cure="docker ps -aq | xargs docker inspect -f '{{.Name}} {{.State.OOMKilled}} {{.HostConfig.Memory}}' names the "
        "container; docker update --memory gives it more",
        confirmed_by="container.oom-killed",
    ),
    Failure(
        name="killed-for-host",
        mark="out of memory",
        pattern=r"(?<!cgroup )Out of memory: Kill(?:ed)? process (?P<pid>\d{1,8}) \((?P<program>[^)\n]{1,40})\)",
        cause="the host ran out of memory, and the kernel killed {program}, which need not be the one that took it",
        cure="docker stats --no-stream shows who takes how much; limits (--memory) keep one container from harming the others",
        confirmed_by="resources.host-oom",
    ),
    Failure(
        name="overlay-in-use",
        mark="is in-use as upperdir/workdir",
        pattern=r"overlayfs: (?:upperdir|workdir) is in-use as upperdir/workdir of another mount",
        cause="the same layer of a container is mounted twice: two engines share one data root, or a mount was left behind "
        "by an engine that was killed",
        cure="pgrep -a dockerd shows whether two run; findmnt -t overlay shows the mounts; stop the container whose layer it is, and umount what is left",
        source="moby/moby#39475",
    ),
    Failure(
        name="conntrack-full",
        mark="table full, dropping packet",
        pattern=r"nf_conntrack: (?:nf_conntrack: )?table full, dropping packet",
        cause="the kernel's table of connections is full: new connections of all containers are dropped",
        cure="sysctl net.netfilter.nf_conntrack_count net.netfilter.nf_conntrack_max; raise the latter with sysctl -w",
        confirmed_by="network.conntrack-full",
    ),
    Failure(
        name="neighbours-full",
        mark="neighbo",
        pattern=r"neighbou?r: arp_cache: neighbor table overflow",
        cause="the kernel's table of neighbours (ARP) is full: addresses on networks with many containers are not found",
        cure="raise it with sysctl -w net.ipv4.neigh.default.gc_thresh3=16384",
        confirmed_by="network.neighbour-table-full",
    ),
    Failure(
        name="fork-rejected",
        mark="fork rejected by pids controller",
        pattern=r"cgroup: fork rejected by pids controller in (?P<group>/[\w./@:-]{1,300})",
        cause="a container has reached its limit of processes: {group}",
        cure="docker stats --no-stream shows PIDS; stop what multiplies, or docker update --pids-limit",
        confirmed_by="resources.pids-exhausted",
    ),
    Failure(
        name="disk-errors",
        mark=("error", "corrupt", "critical"),
        pattern=r"(?:EXT4-fs|XFS|BTRFS|F2FS)[^\n(]{0,30}\((?:device )?(?P<device>[\w-]{1,30})[^\n]{0,80}(?:error|critical|corrupt)"
        r"|EXT4-fs error \(device (?P<device_ext>[\w-]{1,30})"
        r"|(?:I/O|medium) error[^\n]{0,20}\bdev (?P<device_block>[\w-]{1,30})",
        cause="the file system or the disk {device} has errors; a file system often turns read-only after them",
        cure="smartctl -a of the disk and dmesg -T show more: save the data first, then fsck the unmounted file system",
        confirmed_by="kernel.filesystem-errors",
    ),
    Failure(
        name="nfs-silent",
        mark="not responding",
        pattern=r"nfs: server (?P<server>[\w.:-]{1,253}) not responding",
        cause="the NFS server {server} does not answer: processes with files there hang until it does",
        cure="ping {server}, showmount -e {server}; containers with that volume cannot be stopped before it is back",
        confirmed_by="storage.network-volume-stale",
    ),
    Failure(
        name="upper-not-supported",
        mark="not supported as upperdir",
        pattern=r"overlay(?:fs)?: filesystem on (?P<path>/\S{1,300}) not supported as upperdir",
        cause="the folder {path} lies on a file system that cannot hold layers of overlay2, most often an overlay itself "
        "(a container, a live system, a router) or a network file system",
        cure="findmnt -T {path} shows it; the engine then takes a slower driver (docker info | grep -i storage): put the data root "
        "on ext4 or xfs, or on a volume where the engine itself runs in a container",
        confirmed_by="storage.filesystem-unsupported",
    ),
    Failure(
        name="segfault",
        mark="e",
        pattern=r"(?P<program>[\w./-]{1,40})\[(?P<pid>\d{1,8})\]: segfault at |traps: (?P<program_trap>[\w./-]{1,40})\[(?P<pid_trap>\d{1,8})\] (?:trap invalid opcode|general protection)",
        cause="{program} ended by a fault of its own code or of a library; an invalid opcode means that the processor lacks "
        "an instruction that the build uses",
        cure="lscpu shows what the processor has; take another build or release of the image",
        confirmed_by="container.crashed",
    ),
    Failure(
        name="profile-denied",
        mark="denied",
        pattern=r"apparmor=\"DENIED\"[^\n]{0,200}profile=\"(?P<profile>[^\"\n]{1,200})\"",
        cause="the AppArmor profile {profile} forbade a container or the engine what the line names",
        cure="for a container: --security-opt apparmor=PROFILE with one that allows it; for a leftover profile: aa-remove-unknown",
    ),
)

_HARMLESS = (
    Failure(
        name="bridge-port-states",
        mark="e",
        pattern=r"(?:port \d{1,5}\([\w.-]{1,16}\) entered (?:disabled|blocking|forwarding|learning) state"
        r"|device veth\w{1,16} (?:entered|left) promiscuous mode|eth\d: renamed from veth|renamed from veth)",
        cause="nothing is wrong: the kernel reports so each time a container's network begins or ends",
        cure="nothing has to be done; many of them per minute show a container that restarts (docker ps)",
    ),
    Failure(
        name="own-module-notes",
        mark="bridge: filtering via",
        pattern=r"bridge: filtering via arp/ip/ip6tables is no longer available by default",
        cause="nothing is wrong: the kernel says that packets on a bridge pass iptables only with the module br_netfilter, "
        "which the engine loads itself",
        cure="nothing has to be done",
    ),
    Failure(
        name="plugins-skipped",
        mark=("skip", "failed to load plugin"),
        pattern=r"(?:skip loading plugin|failed to load plugin)[^\n]{0,300}(?:aufs|btrfs|devmapper|zfs|blockfile|erofs|cri)[^\n]{0,300}",
        cause="nothing is wrong: containerd leaves out a way of storing layers (or a part) that this host does not have",
        cure="nothing has to be done: docker uses overlay",
        unlike=LazyPattern(r"invalid plugin config"),
    ),
    Failure(
        name="kernel-without-limit",
        mark="your kernel does not support",
        pattern=r"Your kernel does not support (?P<what>[\w .-]{1,80}?) ?(?:limit|weight|\.|$| or )",
        cause="the kernel has {what} off, so that such a limit of a container has no effect; nothing else is affected",
        cure="for memory and swap: the kernel's options cgroup_enable=memory swapaccount=1, and a reboot",
        confirmed_by="resources.limits-not-enforced",
        unlike=LazyPattern(r"real-time scheduler|can not be set"),
    ),
)

KERNEL_LINES = (*_FAULTS, *_HARMLESS)
"""The first row that fits counts."""
