"""What people meet every day: a deployment that gave up, a name that changed, a device, a list or
an engine that takes no more."""

from __future__ import annotations

from pathlib import Path

from tests.lab import Box, Engines, fault, healthy, registry
from tests.lab.box import LOG
from tests.lab.images import Recipe, load
from tests.lab.provider import BOX_ADDRESS, RESOLVER
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.deploys import SAFE, labels
from tests.lab.scenarios.image import STORE
from tests.lab.scenarios.programs import MACHINE
from tests.lab.scenarios.real_servers import nginx

PYTHON = "/usr/bin/python3"
LEFT = "container.data-left-behind"
LISTENS = "exec nc -ll -p 5672 -e cat"


def first_command(box: Box, check: str, name: str) -> str:
    """The first command that the report offers for a container."""
    findings = box.diagnose("check", check, "--format", "json").findings
    (finding,) = [item for item in findings if item["subject"]["name"] == name]
    return str(finding["fix"][0]["command"])


# -- what compose does ----------------------------------------

_AT_ONCE = '[thresholds."container.never-started"]\ngrace = 0\n'
_PROBED = ("--health-cmd=test -e /tmp/ready", "--health-interval=1s", "--health-retries=1")
_WAITS = "db:service_healthy:false"


@fault("container.never-started", subject="container:till-app-1")
def app_that_compose_gave_up(box: Box) -> None:
    """A database was called unhealthy while it made its data, so that compose gave its app up; it
    is healthy now."""
    box.write("/etc/diagnose/lab.toml", _AT_ONCE)
    words = ("sh", "-c", "sleep 5; touch /tmp/ready; exec sleep 1000")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *_PROBED)
    box.docker("run", "-d", *database, "bb:1.36", *words)
    app = (*SAFE, *labels("till", "app", depends_on=_WAITS), "--name=till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "unhealthy")
    box.wait_health("till-db-1", "healthy")
    box.wait_for(
        lambda: len(box.inspect("till-db-1")["State"]["Health"]["Log"]) >= 5
        and not any(probe["ExitCode"] for probe in box.inspect("till-db-1")["State"]["Health"]["Log"]),
        20,
        "five good probes",
    )  # fmt: skip
    command = first_command(box, "container.never-started", "till-app-1")
    assert command == "docker start till-app-1"
    box.sh(command)
    run = box.diagnose("check", "container.never-started", "--format", "json")
    assert not run.findings
    box.docker("rm", "-f", "till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")


@fault("container.never-started", subject="container:till-app-1")
def app_that_compose_gave_up_beside_frequent_probes(box: Box) -> None:
    """The same, where the probes that the engine keeps reach less far back than the time that
    compose is given."""
    words = ("sh", "-c", "sleep 4; touch /tmp/ready; exec sleep 1000")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *_PROBED)
    box.docker("run", "-d", *database, "bb:1.36", *words)
    app = (*SAFE, *labels("till", "app", depends_on=_WAITS), "--name=till-app-1")
    box.docker("create", *app, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "unhealthy")
    box.wait_health("till-db-1", "healthy")
    box.sh("sleep 31", timeout=40)


@healthy()
def app_that_compose_starts_later(box: Box) -> None:
    """An app waits for a database that is still starting, and another one was only created."""
    box.write("/etc/diagnose/lab.toml", _AT_ONCE)
    probed = ("--health-cmd=false", "--health-interval=1s", "--health-start-period=300s")
    database = (*SAFE, *labels("till", "db"), "--name=till-db-1", *probed)
    box.docker("run", "-d", *database, "bb:1.36", "sleep", "1000")
    for service, waits in (("app", _WAITS), ("job", "db:service_started:false"), ("spare", "")):
        options = (*SAFE, *labels("till", service, depends_on=waits), f"--name=till-{service}-1")
        box.docker("create", *options, "bb:1.36", "sleep", "1000")
    box.wait_health("till-db-1", "starting")


_BROKER = """
folder=/var/lib/rabbitmq/mnesia/rabbit@$(hostname)
[ -d "$folder" ] || mkdir -p "$folder"
echo "node           : rabbit@$(hostname)"
"""


def _broker(box: Box, name: str, *options: str) -> None:
    """A stand-in for RabbitMQ, which names the folder of its data as RabbitMQ does."""
    load(box, "rabbitmq:3.13", Recipe())
    volume = f"--volume={name}-data:/var/lib/rabbitmq"
    words = ("rabbitmq:3.13", "sh", "-c", f"{_BROKER}{LISTENS}")
    box.docker("run", "-d", f"--name={name}", *SAFE, volume, *options, *words)
    box.wait_for(lambda: "node" in box.docker("logs", name).stdout, 20, "the node's name")


@fault(LEFT, subject="container:queue9", shareable=True)
def broker_with_another_host_name(box: Box) -> None:
    """RabbitMQ was recreated without a host name of its own: its users and queues are gone."""
    _broker(box, "queue9")
    box.docker("rm", "-f", "queue9")
    _broker(box, "queue9")
    folders = box.docker("exec", "queue9", "ls", "/var/lib/rabbitmq/mnesia").stdout.split()
    (former,) = [name for name in folders if box.inspect("queue9")["Id"][:12] not in name]
    command = first_command(box, LEFT, "queue9")
    assert (
        command == f"diagnose recreate queue9 -- --hostname={former.removeprefix('rabbit@')} | sh"
    )


@healthy(shareable=True)
def broker_with_a_host_name_of_its_own(box: Box) -> None:
    """The same with a host name: its data is where it was."""
    for _ in range(2):
        box.docker("rm", "-f", "queue8", check=False)
        _broker(box, "queue8", "--hostname=mq")


_ANY_AGE = f'[thresholds."{LEFT}"]\nlived = 0\n'
_DATABASE = "cd /data; [ -e base ] || mkdir base global pg_wal pg_xact; exec sleep 1000"


def _renamed_project(box: Box) -> None:
    """A project was called blog, and is called weblog: its database begins anew."""
    box.write("/etc/diagnose/lab.toml", _ANY_AGE)
    box.sh("mkdir -p /srv/weblog")
    for project in ("blog", "weblog"):
        marks = {f"com.docker.compose.{key}": value for key, value in
                 {"project": project, "volume": "db"}.items()}  # fmt: skip
        name = f"{project}_db"
        box.api("/volumes/create", method="POST", body={"Name": name, "Labels": marks})
        options = (*SAFE, *labels(project, "db"), f"--name={project}-db-1")
        mount = f"--volume={name}:/data"
        box.docker("run", "-d", *options, mount, "bb:1.36", "sh", "-c", _DATABASE)
        box.docker("exec", f"{project}-db-1", "ls", "/data/pg_xact")
        if project == "blog":
            box.docker("rm", "-f", "blog-db-1")


@fault(LEFT, subject="container:weblog-db-1", exit_code=1)
def project_that_was_renamed(box: Box) -> None:
    """The folder of a compose project was renamed, so that its volumes are empty ones."""
    _renamed_project(box)
    command = first_command(box, LEFT, "weblog-db-1")
    assert "--unmount /data -- --volume=blog_db:/data" in command


@healthy()
def project_beside_another_one(box: Box) -> None:
    """The same volumes, and the other project still has its folder."""
    _renamed_project(box)
    box.sh("mkdir -p /srv/blog")


# -- what a device, a name server or a proxy no longer takes ---------------------------------------

_GPU = """
while :; do
    case $(cat /dev/nvidiactl 2>&1 >/dev/null) in
    *"not permitted"*) echo "Failed to initialize NVML: Unknown Error" ;;
    *) echo "job done on cuda:0" ;;
    esac
    sleep 1
done
"""


def _with_gpu(box: Box, name: str) -> None:
    """A program with a device of NVIDIA's numbers, which no driver of this kernel serves."""
    folder = f"/srv/{name}"
    box.sh(f"mkdir {folder}; mknod {folder}/nvidiactl c 195 255; chmod 666 {folder}/nvidiactl")
    device = f"--device={folder}/nvidiactl:/dev/nvidiactl"
    box.docker("run", "-d", f"--name={name}", *SAFE, device, "bb:1.36", "sh", "-c", _GPU)
    box.wait_for(lambda: "job done" in box.docker("logs", name).stdout, 20, "a job")


@fault("container.device-withdrawn", subject="container:train9", shareable=True)
def gpu_that_a_reload_took_away(box: Box) -> None:
    """systemd has written the device rules of a container again, without its GPU."""
    _with_gpu(box, "train9")
    group = f"/sys/fs/cgroup/devices/docker/{box.inspect('train9')['Id']}"
    box.sh(f"echo 'c 195:255 rwm' >{group}/devices.deny")
    box.wait_for(lambda: "NVML" in box.docker("logs", "train9").stdout, 20, "the loss")
    command = first_command(box, "container.device-withdrawn", "train9")
    assert command == "docker restart train9"


@healthy(shareable=True)
def gpu_that_is_there(box: Box) -> None:
    """The same program, and nobody has touched its rules."""
    _with_gpu(box, "train8")


_PIHOLE = "pihole/pihole:2025.02.0"
_ENTRY = f"""#!/bin/sh
[ "$FTLCONF_dns_listeningMode" = all ] || mode=--local-service
exec /usr/sbin/dnsmasq -k --user=root --conf-file=/dev/null --pid-file= --no-resolv \\
    --server={RESOLVER} --log-facility=- $mode
"""
_QUERY = """
import socket, sys
name = b"".join(bytes([len(part)]) + part.encode() for part in "www.lab.test".split("."))
query = bytes.fromhex("123401000001000000000000") + name + bytes.fromhex("0000010001")
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.settimeout(1)
client.sendto(query, (sys.argv[1], 53))
print(len(client.recv(512)))
"""


def _name_server(box: Box, *options: str) -> bool:
    """A real dnsmasq as Pi-hole runs it; whether a client of the host's own net gets an answer."""
    load(
        box, _PIHOLE, Recipe({"entry.sh": (_ENTRY.encode(), 0o755)}, ('ENTRYPOINT ["/entry.sh"]',))
    )
    ports = [f"--publish={BOX_ADDRESS}:53:53/{kind}" for kind in ("udp", "tcp")]
    box.docker("run", "-d", "--name=pihole", *SAFE, *MACHINE, *ports, *options, _PIHOLE)
    box.wait_for(lambda: "started" in box.docker("logs", "pihole").stderr, 20, "dnsmasq")
    ask = [PYTHON, "-c", _QUERY, BOX_ADDRESS]
    return box.provider.run(ask, check=False).returncode == 0


@fault("container.failing-inside", subject="container:pihole")
def name_server_for_its_own_network_alone(box: Box) -> None:
    """Pi-hole answers nobody beyond the network of its container; the command lets it answer."""
    assert not _name_server(box)
    command = first_command(box, "container.failing-inside", "pihole")
    assert command == "diagnose recreate pihole -- --env=FTLCONF_dns_listeningMode=all | sh"


@healthy()
def name_server_for_all(box: Box) -> None:
    """The same with the setting that the command gives it."""
    assert _name_server(box, "--env=FTLCONF_dns_listeningMode=all")


_LIST = "server { listen 8080; listen [::]:8080; root /www; allow 192.0.2.0/24; allow fd00:aa::/64; deny all; }"


def _site(box: Box, *network: str) -> None:
    """nginx with a list of allowed addresses, and a client who calls it by IPv6."""
    box.sh("ip -6 addr add fd00:aa::10/64 dev eth0 nodad")
    box.provider.sh("ip -6 addr add fd00:aa::80/64 dev uplink nodad")
    box.docker("network", "create", *network, "edge_default")
    nginx(box, "edge", _LIST, "--network=edge_default", "--publish=80:8080", "--restart=always")
    address = f"http://{BOX_ADDRESS}/"
    box.wait_for(lambda: "hello" in box.provider.curl(address, check=False), 20, "nginx")


@fault("network.clients-hidden", subject="container:edge", exit_code=1)
def clients_who_are_all_the_gateway(box: Box) -> None:
    """Clients come by IPv6, and the network of a site has IPv4 alone: its list refuses them all."""
    _site(box)
    for _ in range(4):
        assert "403" in box.provider.curl("http://[fd00:aa::10]/")
    assert "client: 172.1" in box.docker("logs", "edge").stderr


@healthy(engines=Engines(since=27))
def clients_with_addresses_of_their_own(box: Box) -> None:
    """The same site on a network with IPv6."""
    _site(box, "--ipv6", "--subnet=fd00:bb::/64", "--subnet=172.31.7.0/24")
    for _ in range(4):
        assert "hello" in box.provider.curl("http://[fd00:aa::10]/")


_HASS = """
import http.server
trusts = "trusted_proxies" in open("/config/configuration.yaml").read()
class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_): pass
    def do_GET(self):
        bad = "X-Forwarded-For" in self.headers and not trusts
        if bad:
            print("2026-01-02 10:00:00.000 ERROR (MainThread) [homeassistant.components.http.forwarded] "
                  f"A request from a reverse proxy was received from {self.client_address[0]}, but your "
                  "HTTP integration is not set-up for reverse proxies", flush=True)
        self.send_response(400 if bad else 200); self.send_header("Content-Length", "0")
        self.end_headers()
http.server.ThreadingHTTPServer(("0.0.0.0", 8123), Handler).serve_forever()
"""
_PROXIED = "server { listen 8080; location / { proxy_set_header X-Forwarded-For $remote_addr; proxy_pass http://hass9:8123; } }"


@fault("container.errors-in-log", subject="container:hass9", exit_code=1)
def proxy_that_a_program_does_not_trust(box: Box) -> None:
    """Home Assistant answers 400 to what comes through a reverse proxy; the command heals it."""
    box.docker("network", "create", "home9")
    box.write("/srv/hass9/configuration.yaml", "default_config:\n")
    load(box, "homeassistant/home-assistant:2025.1", Recipe())
    options = ("--network=home9", "--volume=/srv/hass9:/config", *SAFE, *MACHINE)
    words = ("homeassistant/home-assistant:2025.1", PYTHON, "-c", _HASS)
    box.docker("run", "-d", "--name=hass9", *options, *words)
    nginx(box, "door9", _PROXIED, "--network=home9", "--publish=8123:8080", "--restart=always")
    url = f"http://{BOX_ADDRESS}:8123/"
    code = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", url]

    def answer() -> str:
        return box.provider.run(code, check=False).stdout

    for _ in range(5):
        box.wait_for(lambda: answer() == "400", 20, "the refusal")
    command = first_command(box, "container.errors-in-log", "hass9")
    box.sh(command, timeout=40)
    box.wait_for(lambda: answer() == "200", 20, "an answer")
    box.write("/srv/hass9/configuration.yaml", "default_config:\n")
    box.docker("restart", "hass9")
    for _ in range(5):
        box.wait_for(lambda: answer() == "400", 20, "the refusal")


_ACME = """
nc -ll -p 80 -e cat &
while :; do
    echo '{"level":"error","logger":"tls.obtain","msg":"will retry","error":"[shop.example.com] Obtain: \
authorization failed: HTTP 400 urn:ietf:params:acme:error:connection - 203.0.113.7: Fetching \
http://shop.example.com/.well-known/acme-challenge/x1: Timeout during connect (likely firewall problem)"}'
    sleep 1
done
"""


@fault("container.errors-in-log", subject="container:caddy9", exit_code=1, shareable=True)
def certificate_that_nobody_issues(box: Box) -> None:
    """The router does not forward port 80, so that an authority cannot check a name; its words."""
    box.docker("run", "-d", "--name=caddy9", *SAFE, "-p", "80:80", "bb:1.36", "sh", "-c", _ACME)
    box.wait_for(lambda: box.docker("logs", "caddy9").stdout.count("acme") > 4, 20, "errors")
    findings = box.diagnose("check", "container.errors-in-log", "--format", "json").findings
    (finding,) = [item for item in findings if item["subject"]["name"] == "caddy9"]
    assert "shop.example.com gets no certificate" in finding["summary"]


# -- an engine on a kernel, or in a package, that keeps something from it --------------------------

_RAWLESS = """#!/bin/sh
case " $* " in *" raw "*)
    echo "iptables v1.8.10 (legacy): can't initialize iptables table \\`raw': Table does not exist \
(do you need to insmod?) Perhaps iptables or your kernel needs to be upgraded." >&2
    exit 3 ;;
esac
exec /usr/sbin/iptables-nft "$@"
"""


@fault(
    "container.start-refused",
    subject="container:till9",
    engine_started=False,
    engines=Engines(since=28),
)
def kernel_without_the_table_raw(box: Box) -> None:
    """The engine was upgraded to 28, and the kernel has no table `raw`; its words are those of such
    a host, for this kernel has it."""
    box.sh("rm -f /usr/sbin/iptables /sbin/iptables")
    box.write("/usr/sbin/iptables", _RAWLESS, 0o755)
    box.start_engine(config=BASE_CONFIG)
    options = (*SAFE, "--publish=8090:8080")
    refused = box.docker("run", "-d", "--name=till9", *options, "shop:1.4", check=False)
    assert "table `raw'" in refused.stderr
    assert first_command(box, "container.start-refused", "till9").startswith("modprobe iptable_raw")


_SNAP = """
mount --bind /var/snap/docker /var/snap/docker
mount --bind /var/lib/docker /var/snap/docker/common/var-lib-docker
mount --bind /home /home
mount --bind /etc/docker /etc/docker
mount -o remount,ro,bind /
exec dockerd --exec-root=/run/snap.docker --pidfile=/run/snap.docker/docker.pid \
    --data-root=/var/snap/docker/common/var-lib-docker
"""


@fault("container.start-refused", subject="container:app9", engine_started=False)
def engine_of_a_snap(box: Box) -> None:
    """Docker's snap sees the root read-only: a folder below /srv cannot be mounted."""
    root = "/var/snap/docker/common/var-lib-docker"
    box.sh(f"mkdir -p {root} /etc/docker /run/snap.docker /home/web /srv/app9/data")
    box.sh(f"mount --bind /var/lib/docker {root}")
    box.write("/etc/docker/daemon.json", BASE_CONFIG)
    box.spawn(["unshare", "-m", "sh", "-ec", _SNAP], log=LOG)
    box.wait_for(box.ping, 40, "the engine")
    box.docker(
        "run", "-d", "--name=home9", *SAFE, "-v", "/home/web:/www", "bb:1.36", "sleep", "1000"
    )
    volume = "--volume=/srv/app9/new:/data"
    refused = box.docker("run", "-d", "--name=app9", *SAFE, volume, "bb:1.36", "true", check=False)
    assert "read-only file system" in refused.stderr
    findings = box.diagnose("check", "container.start-refused", "--format", "json").findings
    assert "installed as a snap" in findings[0]["summary"]


# -- images ----------------------------------------

_LIBC = "lib/x86_64-linux-gnu/libc.so.6"
_LOADER = "lib64/ld-linux-x86-64.so.2"


@fault("container.restart-loop", subject="container:api9", shareable=True)
def program_of_a_newer_distribution(box: Box) -> None:
    """A program was built on a newer distribution than its image: the real loader refuses it."""
    program = Path("/usr/bin/sleep").read_bytes()
    assert b"GLIBC_2.34\0" in program, "another release of the C library"
    newer = program.replace(b"GLIBC_2.34\0", b"GLIBC_2.99\0")
    files = {path: (Path("/", path).read_bytes(), 0o755) for path in (_LIBC, _LOADER)}
    load(box, "team/api9:2", Recipe({"app/server": (newer, 0o755), **files}))
    box.docker("run", "-d", "--name=api9", *SAFE, "team/api9:2", "/app/server", "1000")
    box.wait_for(lambda: box.inspect("api9")["RestartCount"] >= 3, 30, "the loop")
    said = box.diagnose("check", "container.restart-loop", "--container", "api9").out
    command = f"docker cp --follow-link api9:/{_LIBC} - | tar -xO | grep"
    assert command in said, said


@fault(
    "storage.disk-full",
    subject="filesystem:/var/lib/containerd",
    engine_started=False,
    engines=Engines(since=26),
)
def images_on_another_disk_than_the_data_root(box: Box) -> None:
    """With containerd's store images lie in containerd's own folder, whose disk is full; the data
    root has room. The command frees it."""
    folder = "/var/lib/containerd"
    box.sh(f"mkdir -p {folder}; truncate -s 300M /run/disk.img; mkfs.ext4 -q -m 0 /run/disk.img")
    box.sh(f"mount -o loop /run/disk.img {folder}")
    box.spawn(["containerd"], log="/var/log/containerd.log")
    sock = "/run/containerd/containerd.sock"
    box.wait_for(box.path(sock).exists, what="containerd's socket")
    at = registry.start(box)
    config = {**BASE_CONFIG, **STORE, "insecure-registries": [at]}
    box.start_engine(f"--containerd={sock}", config=config)
    box.docker("pull", "-q", f"{at}/big/app:1", timeout=60)
    box.fill(f"{folder}/spare", 0.97)
    findings = box.diagnose("check", "storage.disk-full", "--format", "json").findings
    assert "holds the images" in findings[0]["summary"], findings
    assert findings[0]["fix"][0]["command"] == "docker image prune --all --force", findings


# -- a broker that sends its clients elsewhere ----------------------------------------

_CLIENT = """
while :; do
    nc -w 1 localhost 9092 </dev/null || echo "WARN [Producer clientId=producer-1] Connection to node 1 \
(localhost/127.0.0.1:9092) could not be established. Node may not be available."
    sleep 1
done
"""


@fault("container.loopback-peer", subject="container:orders9", shareable=True)
def broker_that_sends_its_clients_to_localhost(box: Box) -> None:
    """Kafka advertises localhost: its clients find it once, and call themselves then."""
    box.docker("network", "create", "orders9")
    told = "--env=KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://localhost:9092"
    options = ("--network=orders9", *SAFE)
    broker = ("bb:1.36", "nc", "-ll", "-p", "9092", "-e", "cat")
    box.docker("run", "-d", "--name=kafka9", *options, told, *broker)
    box.docker("run", "-d", "--name=orders9", *options, "bb:1.36", "sh", "-c", _CLIENT)
    box.wait_for(lambda: box.docker("logs", "orders9").stdout.count("node 1") > 3, 20, "warnings")
    command = first_command(box, "container.loopback-peer", "orders9")
    assert command.endswith("--env=KAFKA_ADVERTISED_LISTENERS=PLAINTEXT://kafka9:9092 | sh")
