"""Starts of the engine that fail at the machine below it, its limits, and its swarm."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

MACHINE = (
    Failure(
        name="cgroups-not-mounted",
        mark="cgroup isn't mounted",
        pattern=r"(?P<named>\w+) cgroup isn't mounted",
        cause="the host's cgroup file systems are not mounted",
        cure="mount them; the package cgroupfs-mount does it at each boot",
        source="docker/for-linux#219",
        page={"controller": "devices"},
    ),
    Failure(
        name="no-subordinate-ids",
        mark="ranges found for user",
        pattern=r'[Nn]o sub(?:uid|gid) ranges found for (?:user|group) \\?"(?P<user>[\w-]+)',
        cause="the engine remaps to user {user}, who has no ids in /etc/subuid or /etc/subgid",
        cure="give that user ids: usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}",
        source="moby/moby#35548",
        page={"remapped": "{user}"},
    ),
    Failure(
        name="remapped-user-missing",
        mark="userns-remap",
        pattern=r'userns-remap: Error during [ug]id lookup for \\?"(?P<user>[\w-]+)',
        cause='userns-remap names the user "{user}", who does not exist on this host',
        cure="create the user with ids in /etc/subuid, or correct userns-remap",
    ),
    Failure(
        name="swarm-live-restore",
        mark="swarm mode",
        pattern=r"live-restore daemon configuration is incompatible with swarm mode",
        cause="live-restore is on, and this host is in a swarm, which does not allow it",
        cure='remove "live-restore" from daemon.json, or leave the swarm',
        source="moby/moby#37387",
    ),
    Failure(
        name="swarm-manager-unknown",
        mark="local ip address",
        pattern=r"could not find local IP address: dial udp: lookup (?P<peer>[\w.-]+)",
        cause="it cannot resolve {peer}, another member of its swarm",
        cure="fix the name or the resolver; the swarm needs it at each start",
        source="moby/moby#32155",
        page={"peer": "{peer}"},
    ),
    Failure(
        name="authorization-plugin",
        mark="authorization plugin",
        pattern=r'authorization plugin: plugin \\?"(?P<plugin>[^"\\]+)\\?" not found',
        cause="its authorization plugin {plugin} is not there",
        cure="start the plugin first, or remove it from authorization-plugins",
        source="moby/moby#23160",
    ),
    Failure(
        name="no-memory",
        mark="out of memory",
        pattern=r"runtime: out of memory|cannot allocate memory",
        cause="it got no memory from the kernel",
        cure="free memory, or raise MemoryMax of docker.service, and start it again",
        page={"again": "docker"},
    ),
    Failure(
        name="no-threads",
        mark="pthread_create",
        pattern=r"pthread_create failed: Resource temporarily unavailable|failed to create new OS",
        cause="it may make no more threads: TasksMax of docker.service, or kernel.pid_max, is reached",
        cure="set TasksMax=infinity in docker.service",
        source="moby/moby#23332",
        page={"tasks": "docker"},
    ),
    Failure(
        name="library-too-old",
        mark="not found (required by",
        pattern=r"version `(?P<version>GLIBC_[\d.]+)' not found",
        cause="dockerd was built for a newer distribution: it needs {version} of libc",
        cure="install the engine's package for this distribution's release",
    ),
    Failure(
        name="snapshotter-missing",
        mark="not available",
        pattern=r'configured driver \\?"(?P<driver>[\w-]+)\\?" not available',
        cause="containerd does not have the snapshotter {driver}, which the engine is configured to use",
        cure="see containerd's log for why it left the snapshotter out, and its disabled_plugins",
        source="moby/moby#47397",
        page={"left_out": "{driver}"},
    ),
    Failure(
        name="swarm-key",
        mark="raft node",
        pattern=r"failed to create raft node: .*(?:decrypt|invalid key|could not find)",
        cause="the swarm's records of this manager cannot be decrypted with its key",
        cure="restore the whole folder swarm from one backup, or leave the swarm by force and join",
        source="moby/swarmkit",
    ),
)
