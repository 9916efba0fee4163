"""Texts of refused starts for the rows of `diagnose/programs/failures/starts/cgroups.py`."""

from __future__ import annotations

STARTS: dict[str, tuple[str, dict[str, str]]] = {
    "hierarchy-not-mounted": (
        "error during container init: error setting cgroup config for procHooks process: cannot set pids limit: container could not join or create cgroup",
        {},
    ),
    "memory-too-small": (
        "container init was OOM-killed (memory limit too low?): unknown",
        {"memory": "67108864"},
    ),
    "init-killed": ("waiting for init preliminary setup: EOF", {"memory": "67108864"}),
    "memory-in-use": (
        'error setting cgroup config for procHooks process: failed to write "6291456": write /sys/fs/cgroup/memory/docker/1/memory.limit_in_bytes: device or resource busy',
        {"memory": "67108864"},
    ),
    "throttled-device-gone": (
        "stat /dev/shopdisk: no such file or directory",
        {"throttled": "app"},
    ),
    "cpu-of-parent": (
        'error setting cgroup config for procHooks process: failed to write "400000": write /sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.cfs_quota_us: invalid argument',
        {"limiting": "cpus"},
    ),
    "real-time": (
        'error setting cgroup config for procHooks process: failed to write "950000": write /sys/fs/cgroup/cpu,cpuacct/docker/1/cpu.rt_runtime_us: invalid argument',
        {},
    ),
    "cgroup-threaded": (
        'unable to apply cgroup configuration: cannot enter cgroupv2 "/sys/fs/cgroup/docker" with domain controllers -- it is in threaded mode',
        {"threaded": "/sys/fs/cgroup/docker"},
    ),
    "cgroups-used-up": (
        "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/memory/docker/1: cannot allocate memory",
        {"cgroups": "/proc/cgroups"},
    ),
    "cgroups-read-only": (
        "unable to apply cgroup configuration: mkdir /sys/fs/cgroup/docker: read-only file system",
        {"remount": "/sys/fs/cgroup"},
    ),
    "cpuset-narrow": (
        'failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: unable to apply cgroup configuration: failed to write "0,1": write /sys/fs/cgroup/cpuset/docker/68d5338a0d4a/cpuset.cpus: permission denied',
        {
            "cpuset_cpus": "/sys/fs/cgroup/cpuset/docker/cpuset.cpus",
            "cpuset_mems": "/sys/fs/cgroup/cpuset/docker/cpuset.mems",
        },
    ),
    "cpuset-empty": (
        "unable to apply cgroup configuration: failed to write 4711: write /sys/fs/cgroup/cpuset/docker/1/cgroup.procs: no space left on device",
        {
            "cpuset_cpus": "/sys/fs/cgroup/cpuset/docker/cpuset.cpus",
            "cpuset_mems": "/sys/fs/cgroup/cpuset/docker/cpuset.mems",
        },
    ),
    "unit-left-behind": (
        'unable to apply cgroup configuration: unable to start unit "docker-1.scope" (properties [{Name:Description}]): Unit docker-1.scope was already loaded or has a fragment file',
        {"scope": "docker-1.scope"},
    ),
    "swap-not-counted": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/system.slice/docker-1.scope/memory.swap.max: no such file or directory",
        {"limiting": "memory-swap"},
    ),
    "memory-controller-off": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/docker/1/memory.max: no such file or directory",
        {"limiting": "memory"},
    ),
    "controller-off": (
        "error setting cgroup config for procHooks process: openat2 /sys/fs/cgroup/docker/1/hugetlb.2MB.max: no such file or directory",
        {},
    ),
    "cgroup-drivers-differ": (
        'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got "/docker/1" instead',
        {},
    ),
    "parent-no-slice": (
        'cgroup-parent for systemd cgroup should be a valid slice named as "xxx.slice"',
        {"without": "cgroup-parent"},
    ),
    "capabilities": (
        "unable to apply caps: can't apply capabilities: operation not permitted",
        {"limiting": "cap-add"},
    ),
    "capability-unknown": ('invalid capability: "CAP_FOO"', {"without": "cap-add"}),
    "device-rule-denied": (
        'error setting cgroup config for procHooks process: failed to write "c 10:200 rwm": write /sys/fs/cgroup/devices/docker/1/devices.allow: operation not permitted',
        {"rule": "c 10:200 rwm"},
    ),
    "device-rules-denied": (
        "failed to write to devices.deny: write /sys/fs/cgroup/devices/docker/1/devices.deny: operation not permitted",
        {"limiting": "device"},
    ),
    "namespaces-used-up": (
        "can't get final child's PID from pipe: EOF: nsexec-1[2342]: failed to unshare remaining namespaces: No space left on device",
        {"namespaces": "1000000"},
    ),
    "namespaces-denied": (
        "runc create failed: nsexec-1[2342]: failed to unshare user namespace: Operation not permitted",
        {"user_namespaces": "user.max_user_namespaces=28633"},
    ),
    "namespaces-not-made": (
        "can't get final child's PID from pipe: EOF",
        {"kernel_limits": "/proc/sys/user"},
    ),
    "user-unmapped": (
        "unable to setup user: cannot setuid to unmapped uid 2000000 in user namespace",
        {"userless": "app"},
    ),
    "oom-score": (
        "can't apply oom score: write /proc/self/oom_score_adj: permission denied",
        {"without": "oom-score-adj"},
    ),
    "privileged-remapped": (
        "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
        {"added": "--userns=host"},
    ),
    "seccomp": (
        "unable to init seccomp: error loading seccomp filter into kernel: error loading seccomp filter: errno 524",
        {"added": "--security-opt=seccomp=unconfined"},
    ),
    "seccomp-file": (
        "opening seccomp profile (/etc/docker/chrome.json) failed: open /etc/docker/chrome.json: no such file or directory",
        {"without": "security-opt"},
    ),
    "apparmor-not-loaded": (
        "unable to apply apparmor profile: apparmor failed to apply profile: write /proc/self/attr/apparmor/exec: no such file or directory",
        {"after_restart": "app"},
    ),
    "group-has-processes": (
        "unable to apply cgroup configuration: failed to write 4242: write /sys/fs/cgroup/docker/cgroup.procs: device or resource busy: unknown",
        {},
    ),
}
