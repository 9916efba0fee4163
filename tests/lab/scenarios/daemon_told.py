"""Engines that are badly configured, do not start, are too old, too open, or wrong about the
time."""

from __future__ import annotations

import datetime
import json
import time

from tests.lab import Box, Engines, fault, healthy
from tests.lab.box import LOG
from tests.lab.runner import BASE_CONFIG, healthy_container

DEAD = ["container.*", "daemon.*", "network.*", "firewall.*", "dns.*"]
DAEMON = "daemon:docker"
CONFIG = "/etc/docker/daemon.json"


def _refuse(box: Box, *flags: str, words: str, timeout: float = 40) -> None:
    """Start dockerd, and see it end with these words."""
    pid = box.spawn(["dockerd", *flags], log=LOG)
    box.wait_for(lambda: not box.alive(pid), timeout, "dockerd to give up")
    assert words in box.log_tail(), box.log_tail()


@fault("daemon.config-invalid", subject=DAEMON, exit_code=1)
def latent(box: Box) -> None:
    """A comma too many in the file of a running engine: its next start will fail."""
    box.write(CONFIG, '{\n  "log-driver": "json-file",\n  "log-opts": {"max-size": "10m",}\n}\n')
    assert box.ping()


@fault(
    "daemon.config-invalid",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def broken(box: Box) -> None:
    """The same after a restart: the engine is dead, and its container as well."""
    box.write(CONFIG, '{\n  "log-driver": "json-file",\n  "log-opts": {"max-size": "10m",}\n}\n')
    box.stop_engine()
    _refuse(box, words="unable to configure the Docker daemon")
    out = box.diagnose("all").out
    assert "line 3 column" in out, out
    assert out.index("daemon.config-invalid") < out.index("daemon.not-running"), out


@healthy()
def unusual_but_valid(box: Box) -> None:
    """Keys twice, a value of null, a flag's name as a key, a file that was only touched: each
    engine takes that."""
    text = json.dumps({**BASE_CONFIG, "dns": None, "insecure-registry": []})
    box.write(CONFIG, text[:-1] + ', "debug": true, "debug": false}')


@healthy(engines=Engines(since=23), config={})
def empty_file_with_a_mark(box: Box) -> None:
    """Newer engines take a byte order mark."""
    box.write(CONFIG, "\ufeff" + json.dumps(dict(BASE_CONFIG)))


@fault("daemon.config-flag-conflict", subject=DAEMON, flags=("--log-level=info",), exit_code=1)
def conflict_ahead(box: Box) -> None:
    """A setting was added to the file that dockerd has as a flag: its next start will fail."""
    box.write(CONFIG, {**BASE_CONFIG, "log-level": "info"})


@fault(
    "daemon.config-flag-conflict",
    subject=DAEMON,
    expect=[("daemon.not-running", DAEMON)],
    also=["container.*"],
    exit_code=2,
)
def conflict(box: Box) -> None:
    """`hosts` stands in the file and on the command line: the engine does not start."""
    box.stop_engine()
    box.write(CONFIG, {**BASE_CONFIG, "hosts": ["unix:///var/run/docker.sock"]})
    _refuse(
        box,
        "-H",
        "unix:///run/docker.sock",
        words="specified both as a flag and in the configuration file: hosts",
    )


@fault("daemon.debug-on", subject=DAEMON, config={"debug": True})
def debugging(box: Box) -> None:
    """The engine was started in debug mode, and logs each request with its body."""
    box.docker("run", "--rm", "-e", "COLOUR=made-up-blue", "shop:1.4", "true")
    assert "level=debug" in box.log_tail(200)
    assert "made-up-blue" in box.log_tail(200)


@fault("daemon.config-not-applied", subject=DAEMON)
def not_applied(box: Box) -> None:
    """live-restore was switched on in the file, and nobody has reloaded the engine."""
    time.sleep(1.5)
    box.write(CONFIG, {**BASE_CONFIG, "live-restore": True})
    assert box.api("/info")["LiveRestoreEnabled"] is False


@healthy(config={"live-restore": True})
def touched(box: Box) -> None:
    """The file is younger than the engine and says the same."""
    time.sleep(1.5)
    box.write(CONFIG, {**BASE_CONFIG, "live-restore": True})
    run = box.diagnose("check", "daemon", "--format", "json")
    assert run.findings == [], run.out


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
    _refuse(box, words="error initializing graphdriver")


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
    _refuse(box, words="mkdir /srv/data/docker: read-only file system")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert [cause["id"] for cause in by_id["daemon.not-running"]["caused_by"]] == [
        "storage.read-only"
    ]


@fault("daemon.not-running", subject=DAEMON, also=["container.*"], exit_code=2)
def flag_that_is_none(box: Box) -> None:
    """The command line holds a flag that this engine does not have, as after an upgrade."""
    box.stop_engine()
    pid = box.spawn(["dockerd", "--nosuch=1"], log=LOG)
    box.wait_for(lambda: not box.alive(pid), what="dockerd to give up")
    assert "unknown flag: --nosuch" in box.read(LOG)  # engine 28 prints all its flags behind it
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert "the option --nosuch" in by_id["daemon.not-running"]["summary"]


@fault("daemon.not-running", subject=DAEMON, also=DEAD, exit_code=2)
def disk_behind_the_link_of_the_data_root(box: Box) -> None:
    """The data root is a link to a folder on a disk that is not mounted."""
    box.stop_engine()
    box.sh("ln -s /mnt/pool/docker /srv/docker; echo LABEL=pool /mnt/pool ext4 nofail >>/etc/fstab")
    box.write(CONFIG, {**BASE_CONFIG, "data-root": "/srv/docker"})
    _refuse(box, words="mkdir /srv/docker: file exists")
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
    _refuse(box, words="network controller")


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
    _refuse(box, words="invalid database")


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
    _refuse(box, words="no space left on device")
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
    _refuse(box, words="pid")


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
    _refuse(box, words="timeout waiting for containerd to start")


@healthy()
def pid_file_of_nobody(box: Box) -> None:
    """A pid file that names no living process harms nobody."""
    box.stop_engine()
    box.write("/run/docker.pid", "3999999")
    box.start_engine()
    box.docker("start", "web")


@fault(
    "daemon.remote-api-open",
    subject=DAEMON,
    flags=("-H", "unix:///var/run/docker.sock", "-H", "tcp://0.0.0.0:2375", "--tls=false"),
    exit_code=1,
)
def open_to_all(box: Box) -> None:
    """The API is open on every address, without TLS."""
    assert "OK" in box.run(["curl", "-sS", "-m", "3", "http://127.0.0.1:2375/_ping"]).stdout


@healthy(flags=("-H", "unix:///var/run/docker.sock", "-H", "tcp://127.0.0.1:2375", "--tls=false"))
def open_to_this_host(box: Box) -> None:
    """The API is open on a loopback address: advice."""
    run = box.diagnose("check", "daemon.remote-api-open", "--format", "json")
    assert [(f["id"], f["severity"]) for f in run.findings] == [
        ("daemon.remote-api-open", "advice")
    ]


@fault(
    "daemon.client-api-too-old",
    subject="container:traefik",
    flags=("-H", "unix:///var/run/docker.sock", "-H", "tcp://127.0.0.1:2375", "--tls=false"),
    also=["security.*"],
    exit_code=1,
)
def old_client(box: Box) -> None:
    """A proxy with the engine's socket speaks API 1.11, and logs what it is told."""
    script = "printf 'GET /v1.11/info HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 2375; exec sleep 1000"
    options = "run -d --name=traefik --network=host --memory=32m --pids-limit=32 -v /var/run/docker.sock:/var/run/docker.sock"
    box.docker(*options.split(), "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: "is too old" in box.docker("logs", "traefik").stdout, what="the answer")


@fault("daemon.live-restore-off", subject=DAEMON)
def no_live_restore(box: Box) -> None:
    """A container runs, and would not outlive the engine."""
    assert box.api("/info")["LiveRestoreEnabled"] is False


@fault("daemon.engine-outdated", subject=DAEMON)
def upgraded_and_not_restarted(box: Box) -> None:
    """The engine's program was replaced under it."""
    program = box.sh("readlink -f $(command -v dockerd)").strip()
    box.sh(f"cp {program} {program}.new; mv {program}.new {program}")
    assert box.sh(f"readlink /proc/{box.engine_pid}/exe").strip() == f"{program} (deleted)"


@fault("daemon.clock-skewed", subject="host:host", also=["container.*"], exit_code=1)
def clock_was_ahead(box: Box) -> None:
    """A container was made while the clock was two hours ahead."""
    box.stop_engine()
    later = datetime.datetime.now(datetime.UTC) + datetime.timedelta(hours=2)
    path = box.sh("ls /var/lib/docker/containers/*/config.v2.json").strip()
    own = json.loads(box.read(path))
    box.write(path, json.dumps({**own, "Created": later.strftime("%Y-%m-%dT%H:%M:%S.000000000Z")}))
    box.start_engine()
    box.docker("start", "web")
    healthy_container(box, "other", 8090)


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
    _refuse(box, words="no space left on device")
    by_id = {f["id"]: f for f in box.diagnose("all", "--format", "json").findings}
    assert [cause["id"] for cause in by_id["daemon.not-running"]["caused_by"]] == [
        "storage.disk-full"
    ]


CERTIFICATES = """
mkdir -p /etc/docker/tls && cd /etc/docker/tls
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
for name in ca other; do
    openssl req -x509 $new -subj /CN=$name -keyout $name-key.pem -out $name.pem
done
for name in server client; do
    openssl req -x509 $new -CA ca.pem -CAkey ca-key.pem -subj /CN=$name \\
        -addext subjectAltName=IP:127.0.0.1 -keyout $name-key.pem -out $name.pem
done
openssl req $new -subj /CN=old -keyout old-key.pem -out old.csr
openssl x509 -req -in old.csr -CA ca.pem -CAkey ca-key.pem -days -1 -out old.pem
"""
TLS_SOCKET = (
    "-H",
    "unix:///var/run/docker.sock",
    "-H",
    "tcp://127.0.0.1:2376",
    "--tlsverify",
    "--tlscacert=/etc/docker/tls/ca.pem",
    "--tlscert=/etc/docker/tls/server.pem",
    "--tlskey=/etc/docker/tls/server-key.pem",
)


def _call_by_tls(box: Box, certificate: str, authority: str = "ca") -> str:
    """What `docker version` says at the TLS socket, with a client's certificate and authority."""
    files = (
        f"--tlscert={certificate}.pem --tlskey={certificate}-key.pem --tlscacert={authority}.pem"
    )
    command = f"docker --tlsverify {files} -H tcp://127.0.0.1:2376 version"
    return box.sh(f"cd /etc/docker/tls && {command} 2>&1 || true")


@fault("daemon.tls-client-refused", subject=DAEMON, engine_started=False, exit_code=1)
def certificates_that_do_not_fit(box: Box) -> None:
    """Behind the TLS socket one client's certificate has expired, another is from elsewhere (a
    client in Go keeps it to itself then), and a third does not know the engine's authority. A good
    client and a lone probe of the port are no findings. At last the engine's own has expired."""
    box.sh(CERTIFICATES)
    box.start_engine(*TLS_SOCKET, config=BASE_CONFIG)
    assert "Server:" in _call_by_tls(box, "client")
    box.sh("curl -sS http://127.0.0.1:2376/_ping; curl -sSk https://127.0.0.1:2376/_ping || true")
    run = box.diagnose("check", "daemon.tls-client-refused", "--format", "json")
    assert not run.findings, run.out
    assert "Server:" not in _call_by_tls(box, "old")
    assert "Server:" not in _call_by_tls(box, "other")
    assert "unknown authority" in _call_by_tls(box, "client", authority="other")
    logged = ("has expired", "provide a certificate", "bad certificate")
    box.wait_for(lambda: all(words in box.log_tail(40) for words in logged), what="the refusals")
    box.sh("cd /etc/docker/tls && cp old.pem server.pem")
    findings = box.diagnose("check", "daemon.tls-client-refused", "--format", "json").findings
    own = "the engine's own certificate /etc/docker/tls/server.pem expired"
    assert any(own in finding["summary"] for finding in findings), findings


@fault("daemon.data-root-covered", subject=DAEMON, baseline=False)
def disk_mounted_over_the_data_root(box: Box) -> None:
    """The disk of the data root is mounted after the engine has begun without it."""
    options = ("--memory=64m", "--pids-limit=64", "--restart=unless-stopped")
    box.docker("run", "-d", "--name=early", *options, "bb:1.36", "sleep", "1000")
    box.docker("create", "--name=late", *options, "bb:1.36", "sleep", "1000")
    box.sh("truncate -s 40M /root/late; mkfs.ext4 -q /root/late")
    box.sh("mount -o loop /root/late /var/lib/docker")
    said = box.docker("start", "late", check=False).stderr
    assert "no such file or directory" in said, said


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
    box.wait_for(lambda: "userland-proxy-path is not set" in box.log_tail(5), 20, "the refusal")
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "no program docker-proxy" in finding["summary"], finding
