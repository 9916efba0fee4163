"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/errors.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "cgroup-mount": ("cgroups: cgroup mountpoint does not exist: unknown", {}),
    "cgroup-controller": (
        "OCI runtime create failed: runc create failed: mountpoint for devices not found",
        {"controller": "devices"},
    ),
    "selinux-keys": (
        "error during container init: write /proc/self/attr/keycreate: invalid argument",
        {},
    ),
    "systemd-bus": (
        'unable to apply cgroup configuration: unable to start unit "docker-dbca.scope" (properties [{Name:Slice Value:"system.slice"}]): The name org.freedesktop.systemd1 was not provided by any .service files',
        {},
    ),
    "device-rules": (
        "error setting cgroup config for procHooks process: bpf_prog_query(BPF_CGROUP_DEVICE) failed: operation not permitted",
        {},
    ),
    "rlimit-too-high": (
        "error setting rlimits for ready process: error setting rlimit type 7: operation not permitted",
        {},
    ),
    "key-quota": (
        "unable to join session keyring: unable to create session key: disk quota exceeded",
        {},
    ),
    "source-read-only": (
        "error while creating mount source path '/mnt/nas/films': mkdir /mnt/nas: read-only file system",
        {"refused_path": "/mnt/nas/films"},
    ),
    "source-link": (
        "error while creating mount source path '/srv/data': mkdir /srv/data: file exists",
        {"link": "/srv/data"},
    ),
    "source-denied": (
        "error while creating mount source path '/mnt/nfs/data': mkdir /mnt/nfs/data: permission denied",
        {},
    ),
    "source-fuse": ("stat /mnt/s3: transport endpoint is not connected", {"dead_mount": "/mnt/s3"}),
    "source-stale": (
        "error while creating mount source path: stat /mnt/nfs: stale NFS file handle",
        {"dead_mount": "/mnt/nfs"},
    ),
    "nvidia-mismatch": (
        "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch",
        {},
    ),
    "nvidia-cuda": (
        "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.6, please update your driver",
        {},
    ),
    "nvidia-driver": (
        "nvidia-container-cli: initialization error: load library failed: libnvidia-ml.so.1: cannot open shared object file",
        {},
    ),
    "log-plugin-off": (
        "logger: no log driver named 'loki' is registered: plugin loki found but disabled",
        {"plugin": "loki"},
    ),
    "log-plugin-loki": (
        "logger: no log driver named 'loki:latest' is registered: error looking up logging plugin loki:latest",
        {"loki": "loki", "log_driver": "json-file"},
    ),
    "log-plugin": (
        "logger: no log driver named 'newrelic' is registered: error looking up logging plugin newrelic",
        {"log_driver": "json-file"},
    ),
    "shim-newer": (
        "failed to start shim: start failed: unsupported shim version (3): not implemented",
        {"old_containerd": "containerd"},
    ),
    "gpu-no-toolkit": ('could not select device driver "" with capabilities: [[gpu]]', {}),
    "volume-plugin": (
        'error while mounting volume: plugin "rexray" not found',
        {"plugin": "rexray"},
    ),
    "volume-plugin-gone": (
        'error while mounting volume: get claims: error while checking if volume "claims" exists in driver "vault": Post "http://plugin.moby.localhost/VolumeDriver.Get": dial unix /run/docker/plugins/vault.sock: connect: connection refused',
        {},
    ),
    "proc-mount": (
        'error mounting "proc" to rootfs at "/proc": mount src=proc, dst=/proc, flags=MS_NOSUID: operation not permitted',
        {},
    ),
    "sysctl-of-the-host": (
        'sysctl "vm.max_map_count" is not in a separate kernel namespace',
        {"without": "sysctl"},
    ),
    "apparmor-parser": (
        "AppArmor enabled on system but the docker-default profile could not be loaded: running apparmor_parser failed",
        {"package": "apparmor"},
    ),
}
