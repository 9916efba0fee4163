"""Starts that fail because of what the kernel, the host or the runtime's helper does not give."""

from diagnose.programs.failures.recognition import Failure

SURROUNDINGS = (
    Failure(
        name="memory-below-use",
        mark="unable to set memory limit to",
        pattern=r"unable to set memory limit to (?P<limit>\d{1,20}) \(current usage: (?P<use>\d{1,20})",
        cause="its memory limit of {limit} bytes is less than the {use} bytes with which the container begins",
        cure="give it a larger memory limit",
        page={"memory": "{larger_memory}"},
    ),
    Failure(
        name="device-not-made",
        mark="error creating device nodes",
        pattern=r"error creating device nodes: [^\n]{0,120}?(?P<device>/dev/[\w./-]{1,200})\"?: operation not permitted",
        cause="the runtime may not make {device} in the container: the engine runs rootless, maps users, or runs in a container itself",
        cure="recreate the container without --device {device}; an outer container (LXC) has to allow mknod, or to pass the device on",
    ),
    Failure(
        name="namespaces-not-in-kernel",
        mark=("namespaces aren't enabled", "user namespaces"),
        pattern=r"(?P<kind>user|cgroup|time) namespaces aren't enabled in the kernel|rootless containers? requires? (?P<kind_rootless>user) namespaces",
        cause="this kernel has no {kind} namespaces, or they are switched off",
        cure="sysctl user.max_user_namespaces shows 0 where they are off: set it to 15000; otherwise boot a kernel that has them",
    ),
    Failure(
        name="mount-target-relative",
        mark="not absolute",
        pattern=r"mount destination (?P<path>\S{1,300}) (?:is )?not absolute",
        cause="{path}, where a mount was to appear in the container, is not an absolute path",
        cure="recreate the container with a path that begins with a slash",
    ),
    Failure(
        name="label-without-selinux",
        mark="selinux label is specified",
        pattern=r"selinux label is specified in config, but selinux is disabled or not supported",
        cause="the container was created with an SELinux label, and SELinux is off on this host now",
        cure="recreate the container, or switch SELinux on again; without it take selinux-enabled out of daemon.json",
    ),
    Failure(
        name="profile-without-apparmor",
        mark="apparmor not supported",
        pattern=r"apparmor: config provided but apparmor not supported",
        cause="the container was created with an AppArmor profile, and this kernel runs without AppArmor",
        cure="recreate the container; or boot with AppArmor again (cat /sys/module/apparmor/parameters/enabled)",
    ),
    Failure(
        name="shim-ended-at-once",
        mark="failed to start shim",
        pattern=r"failed to start shim: start failed: (?P<said>[^\n]{0,200}?)exit status (?P<code>\d{1,3})",
        cause="containerd's helper for the container (containerd-shim-runc-v2) ended at once, with status {code}",
        cure="journalctl -u containerd -u docker --since -10min shows its last words; free -m and df -h /run whether it lacked "
        "memory or room; after an upgrade restart containerd",
    ),
    Failure(
        name="br-netfilter-missing",
        mark="br_netfilter",
        pattern=r"DOCKER_IGNORE_BR_NETFILTER_ERROR",
        cause="its network keeps containers apart (icc=false), or the engine works without userland-proxy, and both need the kernel module br_netfilter, which "
        "is not loaded",
        cure="modprobe br_netfilter, and write br_netfilter to /etc/modules-load.d/docker.conf",
        source="moby/moby#48948",
    ),
)
"""The first row that fits counts."""
