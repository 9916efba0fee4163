"""Errors of the engine or the runtime when they refuse to start a container, with their meaning
in plain words."""

from diagnose.programs.failures.recognition import Failure
from diagnose.programs.failures.starts.cgroups import CGROUPS
from diagnose.programs.failures.starts.mounts import LAYERS, MOUNTS, SYSCTLS
from diagnose.programs.failures.starts.networks import NETWORKS
from diagnose.programs.failures.starts.runtime import LOG_DRIVERS, RUNTIMES
from diagnose.programs.failures.starts.surroundings import SURROUNDINGS
from diagnose.programs.failures.starts.volumes import VOLUMES
from diagnose.programs.mount_errors import UNMADE_SOURCE

_REST = (
    Failure(
        name="cgroup-mount",
        mark="cgroup",
        pattern=r"cgroup mountpoint does not exist|cannot f(?:i|ou)nd cgroup mount destination",
        cause="the host has a cgroup controller without a mounted hierarchy",
        cure="mount the hierarchy below /sys/fs/cgroup, or reboot",
        source="docker/for-linux#1334",
    ),
    Failure(
        name="cgroup-controller",
        mark="mountpoint for",
        pattern=r"mountpoint for (?P<controller>\w+) not found",
        cause="the host's cgroup hierarchy {controller} is not mounted",
        cure="mount it: mount -t cgroup -o {controller} cgroup /sys/fs/cgroup/{controller}",
        source="docker/cli#1228",
        page={"controller": "{controller}"},
    ),
    Failure(
        name="selinux-keys",
        mark="keycreate",
        pattern=r"attr/keycreate: (?:invalid argument|permission denied)",
        cause=(
            "SELinux refuses the label of the container: "
            "the policy (container-selinux) is older than the engine, or SELinux was switched off"
        ),
        cure="install the newer container-selinux, and restart the engine; "
        "without SELinux remove selinux-enabled",
        source="moby/moby#39109, docker/docs#9021",
    ),
    Failure(
        name="systemd-bus",
        mark="unable to start unit",
        pattern=r"unable to start unit .{0,600}?(?:systemd1 was not provided|Launch helper exited"
        r"|Failed to activate|Message recipient disconnected"
        r"|Connection (?:closed|reset|refused)|timed? ?out|no such file)",
        cause="systemd does not answer on the host's D-Bus, "
        "and the runtime asks it for the container's cgroup",
        cure="start D-Bus and systemd's own service; "
        "on a host without systemd use native.cgroupdriver=cgroupfs",
        source="moby/moby#47824",
    ),
    Failure(
        name="device-rules",
        mark="bpf_prog_query",
        pattern=r"bpf_prog_query\(BPF_CGROUP_DEVICE\) failed: (?P<why>[\w ]+)",
        cause=(
            "the kernel does not let the runtime set the device rules of the container (BPF, "
            "{why}): the engine itself runs in a container, or the kernel lacks CONFIG_CGROUP_BPF"
        ),
        cure="give the outer container the right to use BPF (LXC: nesting), or boot another kernel",
        source="opencontainers/runc#2959",
    ),
    Failure(
        name="rlimit-too-high",
        mark="error setting rlimit",
        pattern=r"error setting rlimit type (?P<type>\d+)",
        cause="the container asks for a higher ulimit than the engine itself has (rlimit type {type}; "
        "6 is nproc, 7 nofile, 8 memlock)",
        cure="recreate it with a lower --ulimit, or raise LimitNOFILE of docker.service",
        source="moby/moby#33009",
    ),
    Failure(
        name="key-quota",
        mark="session key",
        pattern=r"create session key: disk quota exceeded",
        cause="the kernel's quota of keys for its user is used up; each container takes one key",
        cure="raise kernel.keys.maxkeys and kernel.keys.maxbytes; for root root_maxkeys and "
        "root_maxbytes",
        source="moby/moby#22865",
    ),
    Failure(
        name="source-read-only",
        mark="read-only file system",
        pattern=UNMADE_SOURCE + r"read-only file system",
        cause="there is no {path} on the host, and the engine cannot make it: "
        "{made} would lie on a read-only file system",
        cure="remount that file system for writing, or correct the path; "
        "Docker from a snap sees only folders below /home",
        source="docker-snap/docker-snap#126",
        page={"refused_path": "{path}"},
    ),
    Failure(
        name="source-link",
        mark="file exists",
        pattern=UNMADE_SOURCE + r"file exists",
        cause="{path} on the host is a link to nothing, or a mount that does not answer",
        cure="mount the disk that the link leads to, or make its target",
        source="moby/moby#30669",
        page={"link": "{path}"},
    ),
    Failure(
        name="source-denied",
        mark="permission denied",
        pattern=UNMADE_SOURCE + r"permission denied",
        cause="the engine may not make {made}: "
        "a network share that turns root into nobody, or a FUSE mount of another user",
        cure="make the folder as the user who may; "
        "on NFS allow no_root_squash or create it on the server",
    ),
    Failure(
        name="source-fuse",
        mark="transport endpoint is not connected",
        pattern=r"""(?P<path>/[^\s':\"]+)[\"']?: transport endpoint is not connected""",
        cause="the FUSE file system at {path} has died",
        cure="umount -l {path}, and mount it again",
        page={"dead_mount": "{path}"},
    ),
    Failure(
        name="source-stale",
        mark="stale",
        pattern=r"""(?P<path>/[^\s':\"]+)[\"']?: stale (?:NFS )?file handle""",
        cause="the network share at {path} was replaced on its server",
        cure="umount -l {path}, and mount it again",
        page={"dead_mount": "{path}"},
    ),
    Failure(
        name="shim-newer",
        mark="failed to start shim",
        pattern=r"unsupported shim version \(\d+\)|dial unix .?\{\"version\":\d",
        cause="containerd was upgraded on disk, and the old one still runs: it cannot use the new shim",
        cure="restart containerd and the engine",
        source="containerd/containerd#10984",
        page={"old_containerd": "containerd"},
    ),
    Failure(
        name="gpu-no-toolkit",
        mark="gpu",
        pattern=r"could not select device driver .*\bgpu\b|failed to discover GPU vendor",
        cause="it asks for a GPU, and the engine found no NVIDIA container toolkit at its start",
        cure="install nvidia-container-toolkit, and restart the engine",
        source="NVIDIA/nvidia-docker#1034",
    ),
    Failure(
        name="nvidia-mismatch",
        mark="version mismatch",
        pattern=r"driver/library version mismatch",
        cause="the NVIDIA driver was updated, and the kernel still runs the module of the old version",
        cure="reboot, or unload the modules nvidia_uvm, nvidia_drm, "
        "nvidia_modeset and nvidia, and load them again",
        source="NVIDIA/nvidia-container-toolkit#394",
    ),
    Failure(
        name="nvidia-cuda",
        mark="unsatisfied condition",
        pattern=r"unsatisfied condition: (?P<need>\w+ ?[<>=]+ ?[\d.]+)",
        cause="the image needs {need}, and the host's NVIDIA driver is too old for that",
        cure="update the driver, or use an image of an older CUDA",
    ),
    Failure(
        name="nvidia-driver",
        mark="nvidia",
        pattern=r"nvidia-container-cli: initialization error: (?:load library failed|driver (?:error"
        r"|not loaded)|driver rpc error)",
        cause="the host has no working NVIDIA driver",
        cure="install the driver, or load its module with modprobe nvidia",
    ),
    Failure(
        name="log-plugin-off",
        mark="found but disabled",
        pattern=r"no log driver named '(?P<plugin>[^']+)' is registered:.*found but disabled",
        cause="the log driver {plugin} is a plugin that is disabled",
        cure="enable the plugin",
        source="grafana/loki#2361",
        page={"plugin": "{plugin}"},
    ),
    Failure(
        name="log-plugin-loki",
        mark="is registered",
        pattern=r"no log driver named '(?P<plugin>loki)(?::[^']*)?' is registered",
        cause="the log driver {plugin} is a plugin that is not installed on this host",
        cure="install grafana/loki-docker-driver, or recreate the container with another log driver",
        source="grafana/loki#2361",
        page={"loki": "{plugin}", "log_driver": "json-file"},
    ),
    Failure(
        name="log-plugin",
        mark="is registered",
        pattern=r"no log driver named '(?P<plugin>[^']+)' is registered",
        cause="the log driver {plugin} is a plugin that is not installed on this host",
        cure="install the plugin, or recreate the container with another log driver",
        source="grafana/loki#2361",
        page={"log_driver": "json-file"},
    ),
    Failure(
        name="volume-plugin",
        mark="plugin",
        pattern=r'plugin "(?P<plugin>[^"]+)" not found',
        cause="the plugin {plugin} is not installed on this engine, or is disabled",
        cure="install or enable the plugin",
        page={"plugin": "{plugin}"},
    ),
    Failure(
        name="volume-plugin-gone",
        mark="in driver",
        pattern=r'in driver "(?P<plugin>[^"]+)": .{0,400}?dial unix (?P<socket>/\S+): connect:',
        cause="the program of its volume plugin {plugin} does not listen at {socket}",
        cure="start the program of the plugin, and then the container",
        source="engines 20.10 and 28.5",
    ),
    Failure(
        name="proc-mount",
        mark='mounting "proc"',
        pattern=r'mounting "proc" .*operation not permitted',
        cause="the host does not let the runtime mount /proc: "
        "the engine itself runs in a container without nesting",
        cure="allow nesting for the outer container (LXC: features nesting=1)",
        source="opencontainers/runc#1658",
    ),
    Failure(
        name="sysctl-of-the-host",
        mark="sysctl",
        pattern=r'sysctl "(?P<name>[^"]+)" (?:is not in a separate kernel namespace'
        r"|not allowed in host (?:network|ipc|UTS) namespace)",
        cause="{name} is a setting of the whole host here, and no container has one of its own",
        cure="set it on the host with sysctl -w, and create the container without it",
        page={"without": "sysctl"},
    ),
    Failure(
        name="apparmor-parser",
        mark="apparmor",
        pattern=r"AppArmor enabled on system but the docker-default profile could not be loaded"
        r"|unable to apply apparmor profile(?!: apparmor failed to apply profile: write)",
        cause="the kernel has AppArmor on, and the profile docker-default cannot be loaded",
        cure="install the package apparmor, and restart the engine",
        source="moby/moby#41553",
        page={"package": "apparmor"},
    ),
)

START_ERRORS = (
    *LAYERS,
    *VOLUMES,
    *_REST,
    *RUNTIMES,
    *MOUNTS,
    *SYSCTLS,
    *NETWORKS,
    *CGROUPS,
    *LOG_DRIVERS,
    *SURROUNDINGS,
)
"""The first row that fits counts: rows that name a path or a server come before rows that name
none."""
