"""Compound incidents: faults, what follows from them in services that really fail, and a bystander
beside them."""

from __future__ import annotations

import signal
import sys
from functools import partial

from tests.lab import Box
from tests.lab.incident import incident
from tests.lab.provider import RESOLVER, SILENT
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.logging import _grow
from tests.lab.scenarios.storage import _TAKE_INODES, _fill, _share

ROOT = "/var/lib/docker"
DISK = f"filesystem:{ROOT}"
LIMITS = ("--memory=64m", "--pids-limit=64")
LOOP = "container.restart-loop"
EXITS = "container.exits-at-start"
SICK = "container.unhealthy"
DNS = "dns.upstream-unreachable"
ASK = "nslookup -type=a -timeout=1 -retry=1 www.lab.test"
STORE = 'said=$(fallocate -l 50M /data/batch 2>&1); code=$?; rm -f /data/batch; echo "$said" >&2; exit $code'
"""Takes 50 MB for a moment. What it took is given back before it speaks."""


def service(box: Box, name: str, script: str, *options: str) -> None:
    """A program under a policy that starts it again. It goes on running once its script
    succeeds."""
    lasting = f"({script}) && exec sleep 1000"
    box.docker(
        "run",
        "-d",
        f"--name={name}",
        "--restart=always",
        *LIMITS,
        *options,
        "bb:1.36",
        "sh",
        "-c",
        lasting,
    )


def job(box: Box, name: str, script: str, *options: str) -> None:
    """A program that is started once, in the background."""
    box.docker("run", "-d", f"--name={name}", *LIMITS, *options, "bb:1.36", "sh", "-c", script)


def probed(
    box: Box, name: str, probe: str, *options: str, script: str = "while :; do sleep 1; done"
) -> None:
    """A program with a health check that one failure is enough for."""
    health = (f"--health-cmd={probe}", "--health-interval=1s", "--health-retries=1")
    box.docker(
        "run", "-d", f"--name={name}", *LIMITS, *health, *options, "bb:1.36", "sh", "-c", script
    )


def wait_loops(box: Box, *names: str, times: int = 4) -> None:
    for name in names:
        box.wait_for(partial(_has_looped, box, name, times), 40, f"{name} to loop")


def _has_looped(box: Box, name: str, times: int) -> bool:
    return bool(box.inspect(name)["RestartCount"] >= times)


def wait_exits(box: Box, *names: str) -> None:
    for name in names:
        assert box.wait_state(name, "exited", 40)["State"]["ExitCode"] != 0


def wait_sick(box: Box, *names: str) -> None:
    for name in names:
        box.wait_health(name, "unhealthy", 40)


def keep_for_root(box: Box) -> None:
    """Give root the five percent of the disk that mkfs.ext4 gives it by itself: the engine starts
    and restarts containers at the moment when another one has taken all that a user can have.
    """
    box.run(["tune2fs", "-m", "5", box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()])


def store(box: Box, name: str) -> tuple[str, ...]:
    """A volume that a user may write to, as the options of a container that runs as one (`nocopy`,
    or Docker gives it the mode of the image's folder)."""
    box.docker("volume", "create", name)
    box.run(["chmod", "1777", f"{ROOT}/volumes/{name}/_data"])
    return "--user=1000:1000", "-v", f"{name}:/data:nocopy"


def all_of(kind: str, *names: str) -> list[tuple[str, str]]:
    """These containers, each with the same check."""
    return [(kind, f"container:{name}") for name in names]


# -- bystanders: on the same disk, the same network, with words of their own
# ----------------------------------------


MISLED = (LOOP, "container:misled")
STRANGER = ("container.entrypoint-missing", "container:stranger")
GRUMPY = (SICK, "container:grumpy")
FORGETFUL = (EXITS, "container:forgetful")
FROZEN = ("container.paused", "container:frozen")
DEAF = (DNS, "container:deaf")


def misled(box: Box, *options: str) -> None:
    """A service whose configuration lacks a key."""
    service(box, "misled", "echo 'config: no such key: db.url' >&2; exit 3", *options)
    wait_loops(box, "misled")


def stranger(box: Box, *options: str) -> None:
    """A container of an image without its program."""
    box.docker("run", "-d", "--name=stranger", *LIMITS, *options, "noentry:1", check=False)


def grumpy(box: Box, *options: str) -> None:
    """A worker that says itself that it is behind."""
    probed(box, "grumpy", "echo 'queue is 900 s behind'; exit 1", *options)
    wait_sick(box, "grumpy")


def forgetful(box: Box, *options: str) -> None:
    """A server without its licence."""
    job(box, "forgetful", "echo 'no licence for this month' >&2; exit 5", *options)
    wait_exits(box, "forgetful")


def frozen(box: Box, *options: str) -> None:
    """A container that somebody paused."""
    job(box, "frozen", "exec sleep 1000", *options)
    box.docker("pause", "frozen")


def deaf(box: Box, *options: str) -> None:
    """A container with a DNS server of its own, which is silent."""
    job(box, "deaf", "exec sleep 1000", f"--dns={SILENT}", *options)


# -- disks ----------------------------------------


@incident(
    "logging.unbounded",
    "container:audit",
    effects=[("storage.disk-full", DISK), *all_of(LOOP, "cart", "mail", "stock")],
    bystander=MISLED,
    box={"disk": "340M"},
    config={"log-opts": None},
)
def log_fills_the_disk(box: Box) -> None:
    """A log without a limit fills the disk, and three services loop for want of space."""
    keep_for_root(box)
    job(box, "audit", "exec sleep 1000")
    misled(box)
    said = box.run(["df", "--output=used,avail", "-B1", ROOT]).stdout.split()
    used, free = int(said[2]), int(said[3])
    _grow(box, "audit", int((used + free) * 0.975) - used)
    for name in ("cart", "mail", "stock"):
        service(box, name, STORE, *store(box, name))
    wait_loops(box, "cart", "mail", "stock")
    assert "No space left" in box.docker("logs", "cart").stderr


@incident(
    "storage.disk-full",
    DISK,
    effects=[*all_of(LOOP, "cart"), *all_of(SICK, "search"), *all_of(EXITS, "import")],
    bystander=STRANGER,
    box={"disk": "300M"},
)
def volume_fills_the_disk(box: Box) -> None:
    """A database fills the disk: a service loops, another is unhealthy, a job fails."""
    keep_for_root(box)
    stranger(box)
    job(box, "db", "exec sleep 1000", "-v", "orders:/data")
    _fill(box, f"{ROOT}/volumes/orders/_data/orders.db", 98)
    job(box, "import", STORE, *store(box, "import"))
    wait_exits(box, "import")
    service(box, "cart", STORE, *store(box, "cart"))
    probed(box, "search", STORE, *store(box, "search"))
    wait_loops(box, "cart")
    wait_sick(box, "search")


@incident(
    "storage.inodes-exhausted",
    DISK,
    effects=all_of(SICK, "spool", "uploads"),
    bystander=GRUMPY,
    box={"disk": "300M", "inodes": 4000},
)
def no_inode_is_left(box: Box) -> None:
    """A cache of empty files takes the last inode; what makes files fails, although df shows
    room."""
    write = "touch /data/new-$RANDOM"
    grumpy(box)
    for name in ("spool", "uploads"):
        probed(box, name, write, "-v", "cache:/data")
    box.run([sys.executable, "-c", _TAKE_INODES, f"{ROOT}/volumes/cache/_data"])
    wait_sick(box, "spool", "uploads")


@incident(
    "storage.deleted-files-held",
    "container:logger",
    effects=[("storage.disk-full", DISK), *all_of(LOOP, "cart", "mail")],
    bystander=FORGETFUL,
    box={"disk": "340M"},
)
def deleted_file_fills_the_disk(box: Box) -> None:
    """A rotated file that its writer holds open fills the disk, and du does not see it; services
    loop."""
    keep_for_root(box)
    forgetful(box)
    used, free = (
        int(word) for word in box.run(["df", "--output=used,avail", "-B1", ROOT]).stdout.split()[2:]
    )
    size = int((used + free) * 0.975) - used
    script = f"exec 3>/data/x; fallocate -l {size} /data/x && rm /data/x && exec sleep 1000"
    job(box, "logger", script, "-v", "scratch:/data")
    pid = box.inspect("logger")["State"]["Pid"]
    box.wait_for(
        lambda: "(deleted)" in box.sh(f"readlink /proc/{pid}/fd/3"), 20, "the file to be deleted"
    )
    for name in ("cart", "mail"):
        service(box, name, STORE, *store(box, name))
    wait_loops(box, "cart", "mail")


@incident(
    "kernel.filesystem-errors",
    DISK,
    effects=[("storage.read-only", DISK), *all_of(SICK, "search", "uploads")],
    bystander=GRUMPY,
)
def disk_goes_read_only(box: Box) -> None:
    """The kernel stops writing to the data root's file system, and health checks that write
    fail."""
    for name in ("search", "uploads"):
        probed(box, name, "touch /data/alive", "-v", f"{name}:/data")
        box.wait_health(name, "healthy")
    grumpy(box)
    device = box.run(["findmnt", "-no", "SOURCE", ROOT]).stdout.strip()
    box.run(["mount", "-o", "remount,errors=remount-ro", ROOT])
    box.sh(f"echo lab >/sys/fs/ext4/{device.rpartition('/')[2]}/trigger_fs_error")
    wait_sick(box, "search", "uploads")


@incident(
    "storage.network-volume-stale",
    "filesystem:/srv/share",
    effects=[*all_of(SICK, "media")],
    bystander=MISLED,
)
def network_volume_hangs(box: Box) -> None:
    """A file server stops answering: the container that reads from it hangs, and its probe with
    it."""
    misled(box)
    server = _share(box)
    box.docker("rm", "-f", "media")
    probe = ("--health-timeout=2s", "-v", "/srv/share:/data")
    probed(box, "media", "ls /data", *probe)
    box.wait_health("media", "healthy")
    box.sh(f"kill -USR1 {server}")
    wait_sick(box, "media")


@incident(
    "storage.shm-full",
    "container:postgres",
    effects=[*all_of(SICK, "postgres")],
    bystander=STRANGER,
)
def shared_memory_is_full(box: Box) -> None:
    """A database has used up its shared memory: its queries fail, and its health check."""
    stranger(box)
    fill = "dd if=/dev/zero of=/dev/shm/segment bs=1M count=100; exec sleep 1000"
    probed(
        box,
        "postgres",
        "dd if=/dev/zero of=/dev/shm/query bs=1M count=1",
        "--memory=256m",
        script=fill,
    )
    wait_sick(box, "postgres")


# -- the way out ----------------------------------------


def _shop(box: Box, name: str = "shop") -> tuple[str, str]:
    """A network of its own; gives its bridge and subnet."""
    box.docker("network", "create", name)
    network = box.api(f"/networks/{name}")
    return f"br-{network['Id'][:12]}", network["IPAM"]["Config"][0]["Subnet"]


def _askers(box: Box, *options: str) -> None:
    """Services that need DNS: one says so in its health check, one ends."""
    probed(box, "api", ASK, *options)
    job(box, "sync", ASK, *options)
    wait_sick(box, "api")
    wait_exits(box, "sync")


ASKERS = [*all_of(SICK, "api"), *all_of(EXITS, "sync")]


@incident(
    "firewall.chains-missing",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=MISLED,
    newest_too=True,
)
def firewall_reload_cuts_nat(box: Box) -> None:
    """A firewall reload flushes Docker's rules: DNS fails, health checks fail, jobs end."""
    misled(box, "-p", "8085:80")
    box.sh("iptables -P FORWARD DROP; iptables -F; iptables -t nat -F")
    _askers(box)


@incident(
    "firewall.forwarding-off",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=FORGETFUL,
)
def sysctl_turns_forwarding_off(box: Box) -> None:
    """A sysctl file turns IP forwarding off: DNS fails, and what needs it."""
    forgetful(box, "-p", "8085:80")
    box.sh("sysctl -qw net.ipv4.ip_forward=0")
    _askers(box)


@incident(
    "firewall.masquerade-missing",
    "network:shop",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=DEAF,
)
def one_network_without_masquerade(box: Box) -> None:
    """One network has lost its MASQUERADE rule; beside it, on another, a container asks a silent
    server of its own.

    Newer engines ask the host's servers from the host (`ExtServers: [host(192.0.2.53)]`, seen on
    28.5.2): there DNS goes on.
    """
    bridge, subnet = _shop(box)
    deaf(box)
    box.sh(f"iptables -t nat -D POSTROUTING -s {subnet} ! -o {bridge} -j MASQUERADE")
    _askers(box, "--net=shop")


@incident(
    "firewall.forward-dropped",
    "host:host",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=GRUMPY,
)
def rule_in_docker_user_drops_all(box: Box) -> None:
    """A rule in DOCKER-USER drops everything: DNS fails on a network of its own, and what needs
    it."""
    _shop(box)
    grumpy(box, "--net=shop", "-p", "8085:80")
    box.sh("iptables -I DOCKER-USER -j DROP")
    _askers(box, "--net=shop")


@incident(
    "firewall.backend-mixed",
    "host:host",
    effects=[("firewall.forward-dropped", "host:host"), (DNS, "network:bridge"), *ASKERS],
    bystander=STRANGER,
)
def script_of_the_other_backend(box: Box) -> None:
    """A script writes to iptables-legacy beside Docker's nft: forwarding is dropped, DNS fails, and
    what needs it."""
    stranger(box)
    box.sh("iptables-legacy -P FORWARD DROP")
    _askers(box)


@incident(
    "network.bridge-down",
    "network:shop",
    effects=[(DNS, "network:shop"), *ASKERS],
    bystander=MISLED,
)
def bridge_is_down(box: Box) -> None:
    """A network manager sets a bridge down: its containers are cut off, those of the next network
    are not."""
    bridge, _ = _shop(box)
    misled(box, "--net=shop")
    _askers_before(box, "--net=shop")
    box.run(["ip", "link", "set", bridge, "down"])
    wait_sick(box, "api")
    box.docker("start", "sync")
    wait_exits(box, "sync")


def _askers_before(box: Box, *options: str) -> None:
    """The same services, started while all is well."""
    probed(box, "api", ASK, *options)
    job(box, "sync", ASK, *options)
    box.wait_health("api", "healthy")
    box.wait_state("sync", "exited")


# -- names ----------------------------------------


@incident(
    DNS,
    "network:bridge",
    effects=[*ASKERS],
    bystander=STRANGER,
    config={"dns": [SILENT]},
)
def wrong_resolver_in_daemon_json(box: Box) -> None:
    """daemon.json names a DNS server that never answers: whatever needs a name fails."""
    stranger(box)
    _askers(box)


@incident(
    "dns.host-broken",
    "host:host",
    effects=[(LOOP, "container:pay"), (SICK, "container:mail"), (LOOP, "container:front")],
    bystander=STRANGER,
    also=[(DNS, "network:shop")],
)
def resolver_went_down_beside_a_bad_deploy(box: Box) -> None:
    """The host's DNS server has ended, and one that calls a service which needs it loops too; a bad
    deploy is beside it."""
    _shop(box)
    stranger(box, "--net=shop")
    box.provider.dns_stop()
    asking = f"{ASK} || {{ echo 'EAI_AGAIN www.lab.test' >&2; exit 1; }}; nc -ll -p 5432 -e true"
    service(box, "pay", asking, "--net=shop")
    probed(box, "mail", ASK, "--net=shop")
    _needs(box, "front", "pay")
    wait_loops(box, "pay", "front")
    wait_sick(box, "mail")


@incident(
    "dns.host-broken",
    "host:host",
    effects=[(DNS, "network:*"), ("image.registry-unreachable", "daemon:docker"), *ASKERS],
    bystander=MISLED,
)
def resolver_of_the_host_is_silent(box: Box) -> None:
    """The host's DNS server is silent: pulls fail, containers cannot resolve."""
    misled(box)
    box.provider.drop("-p udp --dport 53")
    box.provider.drop("-p tcp --dport 53")
    box.docker("pull", "registry.lab.test/shop:2", check=False, timeout=60)
    _askers(box)


@incident(
    "network.subnet-overlaps-route",
    "network:office",
    effects=[("dns.host-broken", "host:host"), (DNS, "network:*"), *ASKERS],
    bystander=GRUMPY,
)
def subnet_hides_the_resolver(box: Box) -> None:
    """A new network's subnet holds the address of the host's DNS server, which nobody reaches any
    more."""
    grumpy(box)
    box.docker("network", "create", "--subnet=192.0.2.48/28", "office")
    job(box, "printer", "exec sleep 1000", "--net=office")
    assert (
        box.run(
            ["timeout", "2", "busybox", "nslookup", "www.lab.test", RESOLVER], check=False
        ).returncode
        != 0
    )
    _askers(box)


@incident(
    "dns.no-nameserver",
    "host:host",
    effects=[(DNS, "network:bridge"), *ASKERS],
    bystander=FORGETFUL,
    engine_started=False,
)
def resolv_conf_leads_nowhere(box: Box) -> None:
    """resolv.conf is a link to a file that is not there: containers ask servers that nobody
    reaches."""
    box.sh("rm -f /etc/resolv.conf; ln -s ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf")
    box.start_engine(config=BASE_CONFIG)
    forgetful(box)
    _askers(box)


# -- containers that stand on each other ----------------------------------------


CALL = 'said=$(timeout 2 nc db 5432 </dev/null 2>&1) || { echo "db:5432: ${said:-timed out}" >&2; exit 1; }'
"""Asks the database, and names it whatever went wrong, as clients do."""


def _needs(box: Box, name: str, other: str, *options: str) -> None:
    """A service that ends when another one does not answer."""
    service(
        box,
        name,
        f"nc -w 2 {other} 5432 </dev/null || exit 1; exec sleep 1000",
        "--net=shop",
        *options,
    )


@incident(
    "container.oom-killed",
    "container:report",
    effects=[*all_of(LOOP, "report", "front")],
    bystander=MISLED,
)
def memory_limit_is_too_small(box: Box) -> None:
    """A service is killed at its memory limit over and over, and one that calls it fails with
    it."""
    _shop(box)
    misled(box, "--net=shop")
    box.docker("run", "-d", "--name=report", "--net=shop", "--restart=always", "--memory=16m", "--memory-swap=16m",
               "--pids-limit=64", "hungry:1")  # fmt: skip
    _needs(box, "front", "report")
    wait_loops(box, "report", "front")


@incident(
    "container.restarts-exhausted",
    "container:db",
    effects=[*all_of(LOOP, "front", "cart", "mail")],
    bystander=MISLED,
)
def database_was_given_up(box: Box) -> None:
    """A database failed as often as its policy allows; three services that need it loop."""
    _shop(box)
    misled(box, "--net=shop")
    box.docker("run", "-d", "--name=db", "--net=shop", "--restart=on-failure:2", *LIMITS, "bb:1.36", "sh", "-c",
               "echo 'data was written by version 12' >&2; exit 1")  # fmt: skip
    box.wait_for(lambda: box.inspect("db")["RestartCount"] == 2, 20, "two restarts")
    wait_exits(box, "db")
    for name in ("front", "cart", "mail"):
        _needs(box, name, "db")
    wait_loops(box, "front", "cart", "mail")


@incident(
    "network.port-allocated",
    "container:api",
    effects=[*all_of(LOOP, "front", "cart")],
    bystander=STRANGER,
)
def port_is_taken_and_others_need_it(box: Box) -> None:
    """A service did not start since its port is taken; two that need it loop."""
    _shop(box)
    stranger(box)
    job(box, "blue", "nc -ll -p 80 -e true", "-p", "8085:80", "--net=shop")
    taken = box.docker(
        "run", "-d", "--name=api", "--net=shop", *LIMITS, "-p", "8085:80", "shop:1.4", check=False
    )
    assert "port is already allocated" in taken.stderr
    for name in ("front", "cart"):
        _needs(box, name, "api")
    wait_loops(box, "front", "cart")


@incident(
    SICK,
    "container:db",
    effects=[
        *all_of(SICK, "front", "cart"),
        (LOOP, "container:mail"),
        (EXITS, "container:migrate"),
    ],
    bystander=MISLED,
)
def database_hangs_and_refuses(box: Box) -> None:
    """A database's process lives and listens no more: two services are unhealthy for it, one loops,
    a job fails."""
    _shop(box)
    misled(box, "--net=shop")
    probed(box, "db", "echo 'recovery has stopped'; exit 1", "--net=shop")
    wait_sick(box, "db")
    for name in ("front", "cart"):
        probed(box, name, "nc -w 2 db 5432 </dev/null", "--net=shop")
    _needs(box, "mail", "db")
    job(box, "migrate", CALL, "--net=shop")
    wait_sick(box, "front", "cart")
    wait_exits(box, "migrate")
    wait_loops(box, "mail")
    assert "refused" in box.inspect("front")["State"]["Health"]["Log"][-1]["Output"]


@incident(
    EXITS,
    "container:collector",
    effects=[
        ("logging.driver-blocks-start", "container:db"),
        (LOOP, "container:front"),
        (SICK, "container:cart"),
    ],
    bystander=MISLED,
)
def log_collector_does_not_come_up(box: Box) -> None:
    """After a reboot the log collector fails, so that a database is not started, and those that
    call it fail."""
    _shop(box)
    misled(box)
    job(box, "collector", "echo 'unmatched tag in fluent.conf' >&2; exit 1", "-p", "24224:24224")
    wait_exits(box, "collector")
    refused = box.docker(
        *("run", "-d", "--name=db", "--net=shop", *LIMITS, "--log-driver=fluentd"),
        *("bb:1.36", "sh", "-c", "nc -ll -p 5432 -e true"),
        check=False,
    )
    assert "failed to initialize logging driver" in refused.stderr
    _needs(box, "front", "db")
    probed(box, "cart", CALL, "--net=shop")
    wait_loops(box, "front")
    wait_sick(box, "cart")


@incident(
    "storage.disk-full",
    "filesystem:/srv/pg",
    effects=[(LOOP, "container:db"), (SICK, "container:cart"), (EXITS, "container:migrate")],
    bystander=FORGETFUL,
)
def database_fills_a_disk_of_its_own(box: Box) -> None:
    """A database loops on its full disk, beside a data root with room; what calls it fails, each in
    its own way."""
    _shop(box)
    forgetful(box, "--net=shop")
    box.sh(
        "mkdir /srv/pg; truncate -s 64M /root/pg; mkfs.ext4 -q -m 0 /root/pg; mount -o loop /root/pg /srv/pg"
    )
    box.sh("dd if=/dev/zero of=/srv/pg/base bs=1M 2>/dev/null || true")
    write = "dd if=/dev/zero of=/data/wal bs=1M count=1 || exit 1; nc -ll -p 5432 -e true"
    service(box, "db", write, "--net=shop", "-v", "/srv/pg:/data")
    wait_loops(box, "db")
    assert "No space left" in box.docker("logs", "db").stderr
    job(box, "migrate", CALL, "--net=shop")
    probed(box, "cart", CALL, "--net=shop")
    wait_exits(box, "migrate")
    wait_sick(box, "cart")


# -- limits ----------------------------------------


@incident(
    "resources.pids-exhausted",
    "container:crowd",
    effects=[*all_of(SICK, "crowd")],
    bystander=GRUMPY,
    also=all_of(EXITS, "crowd"),
    newest_too=True,
)
def probe_cannot_fork(box: Box) -> None:
    """A container has as many processes as it may: its own health check cannot start one."""
    grumpy(box)
    script = "for i in 1 2 3 4 5 6 7; do sleep 1000 & done; exec sleep 1000"
    probed(box, "crowd", "(true); (true) | (true)", "--pids-limit=9", script=script)
    wait_sick(box, "crowd")


@incident(
    "resources.cpu-throttled",
    "container:busy",
    effects=[*all_of(SICK, "busy")],
    bystander=FORGETFUL,
)
def probe_gets_no_processor(box: Box) -> None:
    """A container that is held back to a fiftieth of a processor cannot answer its health check in
    time."""
    forgetful(box)
    work = "while :; do :; done & while :; do :; done & while :; do :; done"
    probe = "i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done"
    probed(box, "busy", probe, "--cpus=0.05", "--health-timeout=2s", script=work)
    wait_sick(box, "busy")


# -- the engine ----------------------------------------


@incident(
    "daemon.containerd-hung",
    "daemon:docker",
    effects=[*all_of(SICK, "api", "cart")],
    bystander=FORGETFUL,
    also=[("daemon.*", "*")],
    newest_too=True,
)
def containerd_hangs(box: Box) -> None:
    """containerd was stopped by a signal: health checks do not end any more."""
    forgetful(box)
    for name in ("api", "cart"):
        probed(box, name, "true", "--health-timeout=2s")
        box.wait_health(name, "healthy")
    box.kill(box.containerd_pid, signal.SIGSTOP)
    wait_sick(box, "api", "cart")


@incident(
    "daemon.config-invalid",
    "daemon:docker",
    effects=[("daemon.not-running", "daemon:docker")],
    bystander=FORGETFUL,
    config={"live-restore": True},
    newest_too=True,
)
def broken_configuration_after_a_crash(box: Box) -> None:
    """The engine ended and cannot start again, for a comma in daemon.json; its containers live
    on."""
    forgetful(box)
    job(box, "shop", "exec sleep 1000")
    pid = box.engine_pid
    box.kill(pid)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to end")
    box.start_engine(config='{"live-restore": true,\n "log-driver": "json-file",,\n}\n', wait=False)
    box.wait_for(lambda: not box.pids_of("dockerd"), 20, "dockerd to give up")
