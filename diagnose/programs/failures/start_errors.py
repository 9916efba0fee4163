"""What the engine or the runtime says when it refuses to start a container, in plain words."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

START_ERRORS = (
    Failure(
        "cgroup-mount",
        "cgroup",
        r"cgroup mountpoint does not exist|cannot f(?:i|ou)nd cgroup mount destination",
        "the host has a cgroup controller without a mounted hierarchy",
        "mount the hierarchy below /sys/fs/cgroup, or reboot",
        "docker/for-linux#1334",
    ),
    Failure(
        "cgroup-controller",
        "mountpoint for",
        r"mountpoint for (?P<controller>\w+) not found",
        "the host's cgroup hierarchy {controller} is not mounted",
        "mount -t cgroup -o {controller} cgroup /sys/fs/cgroup/{controller}",
        "docker/cli#1228",
    ),
    Failure(
        "selinux-keys",
        "keycreate",
        r"attr/keycreate: invalid argument",
        (
            "SELinux refuses the label of the container: "
            "the policy (container-selinux) is older than the engine, or SELinux was switched off"
        ),
        "install the newer container-selinux, and restart the engine; "
        "without SELinux remove selinux-enabled",
        "moby/moby#39109",
    ),
    Failure(
        "systemd-bus",
        "unable to start unit",
        r"unable to start unit .{0,600}?(?:systemd1 was not provided|Launch helper exited"
        r"|Failed to activate"
        r"|Connection (?:closed|reset|refused)|timed? ?out|no such file)",
        "systemd does not answer on the host's D-Bus, "
        "and the runtime asks it for the container's cgroup",
        "start D-Bus and systemd's own service; "
        "on a host without systemd use native.cgroupdriver=cgroupfs",
        "moby/moby#47824",
    ),
    Failure(
        "device-rules",
        "bpf_prog_query",
        r"bpf_prog_query\(BPF_CGROUP_DEVICE\) failed: (?P<why>[\w ]+)",
        (
            "the kernel does not let the runtime set the device rules of the container (BPF, "
            "{why}): the engine itself runs in a container, or the kernel lacks CONFIG_CGROUP_BPF"
        ),
        "give the outer container the right to use BPF (LXC: nesting), or boot another kernel",
        "opencontainers/runc#2959",
    ),
    Failure(
        "rlimit-too-high",
        "error setting rlimit",
        r"error setting rlimit type (?P<type>\d+)",
        "the container asks for a higher ulimit than the engine itself has (rlimit type {type}; "
        "6 is nproc, 7 nofile, 8 memlock)",
        "recreate it with a lower --ulimit, or raise LimitNOFILE of docker.service",
        "moby/moby#33009",
    ),
    Failure(
        "source-read-only",
        "read-only file system",
        r"error while creating mount source path '(?P<path>[^']+)': mkdir (?P<made>\S+): read-only file system",
        "there is no {path} on the host, and the engine cannot make it: "
        "{made} would lie on a read-only file system",
        "remount that file system for writing, or correct the path; "
        "Docker from a snap sees only folders below /home",
        "docker-snap/docker-snap#126",
    ),
    Failure(
        "source-link",
        "file exists",
        r"error while creating mount source path '(?P<path>[^']+)': mkdir (?P<made>\S+): file exists",
        "{path} on the host is a link to nothing, or a mount that does not answer",
        "mount the disk to which the link leads, or make its target",
        "moby/moby#30669",
    ),
    Failure(
        "source-denied",
        "permission denied",
        r"error while creating mount source path '(?P<path>[^']+)': mkdir (?P<made>\S+): permission denied",
        "the engine may not make {made}: "
        "a network share that turns root into nobody, or a FUSE mount of another user",
        "make the folder as the user who may; "
        "on NFS allow no_root_squash or create it on the server",
        "the program's own message",
    ),
    Failure(
        "source-fuse",
        "transport endpoint is not connected",
        r"""(?P<path>/[^\s':\"]+)[\"']?: transport endpoint is not connected""",
        "the FUSE file system at {path} has died",
        "umount -l {path}, and mount it again",
        "the program's own message",
    ),
    Failure(
        "source-stale",
        "stale",
        r"""(?P<path>/[^\s':\"]+)[\"']?: stale (?:NFS )?file handle""",
        "the network share at {path} was replaced on its server",
        "umount -l {path}, and mount it again",
        "the program's own message",
    ),
    Failure(
        "nvidia-mismatch",
        "version mismatch",
        r"driver/library version mismatch",
        "the NVIDIA driver was updated, and the kernel still runs the module of the old version",
        "reboot, or unload the modules nvidia_uvm, nvidia_drm, "
        "nvidia_modeset and nvidia, and load them again",
        "NVIDIA/nvidia-container-toolkit#394",
    ),
    Failure(
        "nvidia-cuda",
        "unsatisfied condition",
        r"unsatisfied condition: (?P<need>\w+ ?[<>=]+ ?[\d.]+)",
        "the image needs {need}, and the host's NVIDIA driver is too old for that",
        "update the driver, or use an image of an older CUDA",
        "the program's own message",
    ),
    Failure(
        "nvidia-driver",
        "nvidia",
        r"nvidia-container-cli: initialization error: (?:load library failed|driver (?:error"
        r"|not loaded)|driver rpc error)",
        "the host has no working NVIDIA driver",
        "install the driver, or load its module with modprobe nvidia",
        "the program's own message",
    ),
    Failure(
        "log-plugin",
        "is registered",
        r"no log driver named '(?P<plugin>[^']+)' is registered",
        "the log driver {plugin} is a plugin that this engine does not have, or that is disabled",
        "install or enable the plugin, or recreate the container with another log driver",
        "grafana/loki#2361",
    ),
    Failure(
        "volume-plugin",
        "plugin",
        r'plugin "(?P<plugin>[^"]+)" not found',
        "the plugin {plugin} is not installed on this engine, or is disabled",
        "install or enable the plugin",
        "the program's own message",
    ),
    Failure(
        "proc-mount",
        'mounting "proc"',
        r'mounting "proc" .*operation not permitted',
        "the host does not let the runtime mount /proc: "
        "the engine itself runs in a container without nesting",
        "allow nesting for the outer container (LXC: features nesting=1)",
        "opencontainers/runc#1658",
    ),
    Failure(
        "sysctl-of-the-host",
        "sysctl",
        r'sysctl "(?P<name>[^"]+)" (?:is not in a separate kernel namespace'
        r"|not allowed in host (?:network|ipc|UTS) namespace)",
        "{name} is a setting of the whole host here, and no container has one of its own",
        "set it on the host with sysctl -w, and create the container without it",
        "the program's own message",
    ),
    Failure(
        "apparmor-parser",
        "apparmor",
        r"AppArmor enabled on system but the docker-default profile could not be loaded"
        r"|unable to apply apparmor profile",
        "the kernel has AppArmor on, and the profile docker-default cannot be loaded",
        "install the package apparmor, and restart the engine",
        "moby/moby#41553",
    ),
    Failure(
        "state-left-behind",
        "already exists",
        r"container with (?:given )?id\S* already exists|id already in use",
        "a start that broke off left the container's state in the runtime's folder",
        "restart the engine; what is left lies in /run/containerd and /run/docker/runtime-runc",
        "moby/moby#38726",
    ),
)
