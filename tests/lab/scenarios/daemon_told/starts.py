"""Engines that do not start: no network, no room, a pid file, a link."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.daemon_told.helpers import CONFIG, DAEMON, refuse

DEAD = ["container.*", "daemon.*", "network.*", "firewall.*", "dns.*"]


@fault(
    "daemon.storage-driver-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def no_such_driver(box: Box) -> None:
    """The file asks for a storage driver that this engine, or this kernel, does not have."""
    box.stop_engine()
    box.write(CONFIG, {**BASE_CONFIG, "storage-driver": "aufs"})
    refuse(box, words="error initializing graphdriver")


@fault(
    "storage.read-only",
    subject="filesystem:/srv/data",
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def data_root_read_only(box: Box) -> None:
    """The data root was moved to a file system that is mounted read-only; the last words are a bare
    line."""
    box.stop_engine()
    box.sh("mkdir -p /srv/data && mount -t tmpfs -o ro none /srv/data")
    box.write(CONFIG, {**BASE_CONFIG, "data-root": "/srv/data/docker"})
    refuse(box, words="mkdir /srv/data/docker: read-only file system")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert [cause["id"] for cause in by_id["daemon.not-running"]["caused_by"]] == [
        "storage.read-only"
    ]


@fault("daemon.not-running", subject=DAEMON, also=DEAD, exit_code=2)
def disk_behind_the_link_of_the_data_root(box: Box) -> None:
    """The data root is a link to a folder on a disk that is not mounted."""
    box.stop_engine()
    box.sh("ln -s /mnt/pool/docker /srv/docker; echo LABEL=pool /mnt/pool ext4 nofail >>/etc/fstab")
    box.write(CONFIG, {**BASE_CONFIG, "data-root": "/srv/docker"})
    refuse(box, words="mkdir /srv/docker: file exists")
    (found,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "has LABEL=pool for /mnt/pool, and nothing is mounted there" in found["summary"], found
    assert found["fix"][0]["command"].startswith("mount /mnt/pool\n"), found


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def no_network_left(box: Box) -> None:
    """Every pool of the file overlaps with a route of this host: the default network cannot be
    made."""
    box.stop_engine()
    box.sh(
        "ip link del docker0; ip route add 10.201.0.0/16 dev eth0; rm -rf /var/lib/docker/network"
    )
    box.write(
        CONFIG, {**BASE_CONFIG, "default-address-pools": [{"base": "10.201.0.0/24", "size": 24}]}
    )
    refuse(box, words="network controller")


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def no_network_left_by_a_vpn(box: Box) -> None:
    """The routes of a VPN take all ranges that the engine cuts its networks from."""
    box.stop_engine()
    box.sh("""
        ip link del docker0; rm -rf /var/lib/docker/network
        ip tuntap add dev tun0 mode tun; ip addr add 100.64.0.2/32 dev tun0; ip link set tun0 up
        for range in 172.16.0.0/12 192.168.0.0/16; do ip route add $range dev tun0; done
    """)
    refuse(box, words="network controller")
    (found,) = box.diagnose("check", "daemon.bridge-init-failed", "--format", "json").findings
    assert "192.168.0.0/16 (tun0" in found["summary"], found
    assert '"default-address-pools"' in found["fix"][0]["command"], found


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
    engines=Engines(until=26),
)
def ipv6_without_a_subnet(box: Box) -> None:
    """IPv6 is switched on, and engines before 27 need a subnet for it."""
    box.stop_engine()
    box.write(CONFIG, {**BASE_CONFIG, "ipv6": True})
    refuse(box, words="fixed-cidr-v6")
    (found,) = box.diagnose("check", "daemon.bridge-init-failed", "--format", "json").findings
    assert '"fixed-cidr-v6": "fd00:' in found["fix"][0]["command"], found


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def record_of_networks_torn(box: Box) -> None:
    """A power cut has torn the engine's record of its networks."""
    box.stop_engine()
    box.sh("truncate -s 100 /var/lib/docker/network/files/local-kv.db")
    refuse(box, words="invalid database")


@fault(
    "daemon.bridge-init-failed",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
    engines=Engines(since=28),
)
def saved_network_with_the_default_bridge(box: Box) -> None:
    """The record of the networks has another one whose bridge is docker0."""
    box.stop_engine()
    box.sh("ip link del docker0; rm -rf /var/lib/docker/network")
    box.start_engine("--bridge=none")
    name = "com.docker.network.bridge.name=docker0"
    box.docker("network", "create", f"--opt={name}", "--subnet=10.77.0.0/24", "former")
    box.stop_engine()
    refuse(box, words="Pool overlaps with other one on this address space")
    (found,) = box.diagnose("check", "daemon.bridge-init-failed", "--format", "json").findings
    assert found["fix"][0]["command"].startswith("mv /var/lib/docker/network/"), found
    box.sh(found["fix"][0]["command"].partition("\n")[0])
    box.start_engine()
    box.stop_engine()
    box.sh("rm -rf /var/lib/docker/network; ip link del docker0")
    box.start_engine("--bridge=none")
    box.docker("network", "create", f"--opt={name}", "--subnet=10.77.0.0/24", "former")
    box.stop_engine()
    refuse(box, words="Pool overlaps with other one on this address space")


@fault(
    "storage.disk-full",
    subject="filesystem:/run",
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def no_room_in_run(box: Box) -> None:
    """The engine does not start because it cannot even write its pid file: /run is full."""
    box.stop_engine()
    box.sh(
        "mount -o remount,size=1m /run; dd if=/dev/zero of=/run/filler bs=1k 2>/dev/null || true"
    )
    refuse(box, words="no space left on device")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert [cause["id"] for cause in by_id["daemon.not-running"]["caused_by"]] == [
        "storage.disk-full"
    ]


@fault(
    "daemon.stale-pidfile",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def pid_of_another(box: Box) -> None:
    """The pid file names a program that was given the engine's number."""
    box.stop_engine()
    box.write("/run/docker.pid", str(box.spawn(["sleep", "1000"])))
    refuse(box, words="pid")


@fault(
    "daemon.stale-pidfile",
    subject=DAEMON,
    expect=[("daemon.containerd-down", DAEMON), ("daemon.not-running", DAEMON)],
    also=DEAD,
    exit_code=2,
)
def containerd_pid_of_another(box: Box) -> None:
    """The pid file of dockerd's own containerd names another program: dockerd waits for it and
    gives up."""
    box.stop_engine()
    box.write("/run/docker/containerd/containerd.pid", str(box.spawn(["sleep", "1000"])))
    refuse(box, words="timeout waiting for containerd to start")


@healthy()
def pid_file_of_nobody(box: Box) -> None:
    """A pid file that names no living process harms nobody."""
    box.stop_engine()
    box.write("/run/docker.pid", "3999999")
    box.start_engine()
    box.docker("start", "web")


@fault(
    "storage.disk-full",
    subject="filesystem:/var/lib/docker",
    expect=[("daemon.not-running", DAEMON)],
    also=DEAD,
    box={"disk": "300M"},
    exit_code=2,
)
def no_room_to_start(box: Box) -> None:
    """The engine does not start because there is not a byte left below its data root."""
    box.stop_engine()
    dump = "dd if=/dev/zero of=/var/lib/docker/volumes/{} bs={} 2>/dev/null || true; "
    box.sh(
        f"{dump.format('one', '1M')} rm -rf /var/lib/docker/network /var/lib/docker/buildkit; {dump.format('two', '1k')}"
    )
    refuse(box, words="no space left on device")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert [cause["id"] for cause in by_id["daemon.not-running"]["caused_by"]] == [
        "storage.disk-full"
    ]


@fault(
    "daemon.not-running",
    subject=DAEMON,
    baseline=False,
    engine_started=False,
    engines=Engines(since=28),
)
def program_of_published_ports_is_gone(box: Box) -> None:
    """The host has no docker-proxy: engines from 28 on refuse to start without it."""
    box.sh('while path=$(command -v docker-proxy); do rm "$path"; done')
    box.start_engine(wait=False)
    box.wait_for(lambda: "userland-proxy-path is not set" in box.log_tail(5), what="the refusal")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "no program docker-proxy" in finding["summary"], finding
