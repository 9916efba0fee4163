"""Containers whose program objects to something: real programs of the machine, run inside a
container of the lab."""

from __future__ import annotations

import json
import os
import time
from typing import Any

from tests.lab import Box, fault
from tests.lab.images import Recipe, load
from tests.lab.runner import BASE_CONFIG

GOOD = [
    "--memory=64m",
    "--pids-limit=64",
    "--user=1000:1000",
    "--cap-drop=ALL",
    "--security-opt=no-new-privileges",
]
MACHINE = [
    option
    for path in ("/usr", "/lib", "/lib64")
    if os.path.isdir(path)
    for option in ("-v", f"{path}:{path}:ro")
]
"""The machine's own programs and libraries, mounted into a container: real ones without an image of
hundreds of megabytes."""
POSTGRES = "/usr/lib/postgresql/15/bin"


def run(box: Box, name: str, *words: str) -> Any:
    """A detached container, which may fail to start; the name is free."""
    done = box.docker("run", "-d", f"--name={name}", *words, check=False)
    assert "is already in use by container" not in done.stderr, done.stderr
    return done


def logs(box: Box, name: str) -> str:
    done = box.docker("logs", name, check=False)
    return done.stdout + done.stderr


_BOOTSTRAP = """
value=$(cat /proc/sys/vm/max_map_count)
echo "[2026-01-02T10:00:00,000][INFO ][o.e.b.BootstrapChecks    ] [node-1] enforcing bootstrap checks"
[ "$value" -ge 262144 ] && exec sleep 1000
echo "ERROR: [1] bootstrap checks failed"
echo "[1]: max virtual memory areas vm.max_map_count [$value] is too low, increase to at least [262144]"
echo "[2026-01-02T10:00:00,100][INFO ][o.e.n.Node               ] [node-1] stopping ..."
echo "[2026-01-02T10:00:00,200][INFO ][o.e.n.Node               ] [node-1] closed"
exit 78
"""


@fault(
    "container.kernel-setting-low",
    subject="container:search9",
    also=["container.exits-at-start"],
    shareable=True,
)
def too_few_memory_maps(box: Box) -> None:
    """A search server checks vm.max_map_count as Elasticsearch does, and ends with 78."""
    run(box, "search9", *GOOD, "bb:1.36", "sh", "-c", _BOOTSTRAP)
    assert box.wait_state("search9", "exited")["State"]["ExitCode"] == 78


@fault(
    "container.data-version-mismatch",
    subject="container:orders-db",
    also=["container.exits-at-start"],
)
def database_of_another_major_version(box: Box) -> None:
    """PostgreSQL 15 on data that says it is of version 13; the program and its refusal are real."""
    options = [
        "--network=none",
        "--user=1000:1000",
        "--memory=256m",
        *MACHINE,
        "-v",
        "orders:/data",
    ]
    make = f"{POSTGRES}/initdb -D /data/pg -A trust >/dev/null && echo 13 > /data/pg/PG_VERSION"
    box.docker(
        "run",
        "--rm",
        "--user=0",
        "-v",
        "orders:/data",
        "bb:1.36",
        "sh",
        "-c",
        "mkdir /data/pg && chown 1000 /data/pg",
    )
    box.docker("run", "--rm", *options, "bb:1.36", "sh", "-c", make)
    run(
        box,
        "orders-db",
        *options,
        "bb:1.36",
        f"{POSTGRES}/postgres",
        "-D",
        "/data/pg",
        "-k",
        "/tmp",
    )
    assert box.wait_state("orders-db", "exited")["State"]["ExitCode"] == 1
    assert "initialized by PostgreSQL version 13" in logs(box, "orders-db")


_LOCK = """
import fcntl, sys, time
file = open("/data/ibdata1", "w")
try:
    fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
except OSError as error:
    print("2026-01-02  7:51:18 0 [ERROR] InnoDB: Unable to lock ./ibdata1 error:", error.errno)
    print("2026-01-02  7:51:18 0 [Note] InnoDB: Check that you do not already have another mysqld process using the same files.")
    print("2026-01-02  7:51:19 0 [ERROR] Aborting")
    sys.exit(1)
time.sleep(1000)
"""


@fault(
    "container.data-locked",
    subject="container:mysql-b",
    also=["container.exits-at-start"],
    shareable=True,
)
def two_servers_on_one_volume(box: Box) -> None:
    """A second server on a volume whose file the first one has locked, by a real lock."""
    options = [
        "--network=none",
        "--memory=64m",
        "--pids-limit=64",
        *MACHINE,
        "-v",
        "shared:/data",
        "bb:1.36",
        "/usr/bin/python3",
    ]
    run(box, "mysql-a", *options, "-uc", _LOCK)
    box.wait_state("mysql-a", "running")
    time.sleep(1)
    run(box, "mysql-b", *options, "-uc", _LOCK)
    assert box.wait_state("mysql-b", "exited")["State"]["ExitCode"] == 1


_RAILS = """
pid=/app/server.pid
if [ -s $pid ]; then
  echo "=> Booting Puma"
  echo "A server is already running. Check $pid."
  echo "Exiting"
  exit 1
fi
echo 1 > $pid
kill -KILL -1; exec sleep 1000
"""


@fault(
    "container.pid-file-stale",
    subject="container:rails",
    also=["container.exits-at-start"],
    shareable=True,
)
def pid_file_left_behind(box: Box) -> None:
    """A server that was killed left its pid file in its layer, and does not start again."""
    box.docker(
        "create",
        "--name=rails",
        "--user=0",
        "--memory=64m",
        "--pids-limit=64",
        "bb:1.36",
        "sh",
        "-c",
        f"mkdir -p /app; {_RAILS}",
    )
    box.docker("start", "rails")
    box.wait_state("rails", "running")
    box.docker("kill", "rails")
    box.wait_state("rails", "exited")
    box.docker("start", "rails")
    box.wait_for(lambda: "already running" in logs(box, "rails"), what="the second start to fail")
    box.wait_state("rails", "exited")


@fault(
    "container.variable-missing",
    subject="container:needy",
    also=["container.exits-at-start"],
    shareable=True,
)
def variable_that_is_not_set(box: Box) -> None:
    """A start script with `set -u` and a variable that nobody has set; the shell's own words."""
    run(box, "needy", *GOOD, "bb:1.36", "sh", "-uc", 'echo starting; exec httpd -f -p "$HTTP_PORT"')
    assert box.wait_state("needy", "exited")["State"]["ExitCode"] != 0


@fault(
    "container.variable-missing",
    subject="container:terse",
    also=["container.restarts-exhausted"],
    shareable=True,
)
def error_without_a_newline(box: Box) -> None:
    """Each run of the program prints its error without a newline, and the engine keeps it so."""
    says = 'printf "start.sh: HTTP_PORT: parameter not set" >&2; exit 2'
    run(box, "terse", "--restart=on-failure:2", *GOOD, "bb:1.36", "sh", "-c", says)
    box.wait_for(lambda: logs(box, "terse").count("not set") == 3, what="three runs")
    assert "\n" not in logs(box, "terse")


@fault("container.exits-at-start", subject="container:registry9", also=["dns.*"])
def variable_that_is_not_needed(box: Box) -> None:
    """A registry makes up the secret that nobody has set, and ends for another reason: the name of
    the registry that it mirrors is misspelt."""
    says = (
        'level=warning msg="No HTTP secret provided - generated random secret. To provide a shared '
        'secret, set the REGISTRY_HTTP_SECRET environment variable."\n'
        'panic: Get \\"https://registry-1docker.io/v2/\\": dial tcp: lookup registry-1docker.io '
        "on 127.0.0.11:53: no such host"
    )
    run(box, "registry9", *GOOD, "bb:1.36", "sh", "-c", f"printf '%b\n' '{says}' >&2; exit 2")
    assert box.wait_state("registry9", "exited")["State"]["ExitCode"] == 2


@fault(
    "container.cpu-unsupported", subject="container:vectors", also=["container.*"], shareable=True
)
def instructions_that_the_processor_lacks(box: Box) -> None:
    """A program that is built for instructions of another processor says so, and ends with
    SIGILL."""
    words = "F0000 00:00:00.000000 cpu_feature_guard.cc:37] The TensorFlow library was compiled to use AVX512_4VNNIW instructions"
    script = f'echo "{words}, but these aren\'t available on your machine."; sh -c "kill -ILL \\$\\$"; exit $?'
    run(box, "vectors", *GOOD, "bb:1.36", "sh", "-c", script)
    box.wait_state("vectors", "exited")
    assert "avx512_4vnniw" not in box.sh("cat /proc/cpuinfo")


_NO_CLONE3 = {
    "defaultAction": "SCMP_ACT_ALLOW",
    "syscalls": [{"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}],
}


@fault(
    "container.syscall-refused", subject="container:threads", also=["container.*"], shareable=True
)
def threads_that_the_filter_refuses(box: Box) -> None:
    """Java under a filter that answers clone3 with EPERM, as engines before 20.10.10 do."""
    profile = box.path("/tmp/no-clone3.json")
    profile.write_text(json.dumps(_NO_CLONE3))
    options = [
        "--network=none",
        "--memory=256m",
        "--pids-limit=200",
        "--security-opt=seccomp=/tmp/no-clone3.json",
        *MACHINE,
    ]
    run(
        box,
        "threads",
        *options,
        "-v",
        "/etc:/etc:ro",
        "bb:1.36",
        "/usr/bin/java",
        "-Xmx32m",
        "-version",
    )
    box.wait_state("threads", "exited")
    assert "pthread_create failed (EPERM)" in logs(box, "threads"), logs(box, "threads")


@fault(
    "container.heap-above-limit",
    subject="container:heap",
    expect=[("container.oom-killed", "container:heap")],
    also=["container.exits-at-start"],
    shareable=True,
)
def heap_larger_than_the_limit(box: Box) -> None:
    """Java with a heap of 256 MiB, which it touches at its start, in a container of 64 MiB."""
    options = [
        "--network=none",
        "--memory=64m",
        "--memory-swap=64m",
        "--pids-limit=200",
        *MACHINE,
        "-v",
        "/etc:/etc:ro",
    ]
    java = ["/usr/bin/java", "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-version"]
    run(box, "heap", *options, "bb:1.36", *java)
    assert box.wait_state("heap", "exited")["State"]["ExitCode"] == 137


@fault(
    "container.loopback-peer",
    subject="container:api9",
    also=["container.exits-at-start"],
    shareable=True,
)
def localhost_in_a_container(box: Box) -> None:
    """psql calls the database at localhost, and the database is another container of the same
    network."""
    box.docker("network", "create", "shop9")
    load(box, "pg9:1", Recipe(changes=("EXPOSE 5432",)))
    run(box, "db9", "--network=shop9", *GOOD, "pg9:1", "sleep", "1000")
    psql = [f"{POSTGRES}/psql", "-h", "localhost", "-U", "shop", "-c", "select 1"]
    run(box, "api9", "--network=shop9", *GOOD, *MACHINE, "bb:1.36", *psql)
    assert box.wait_state("api9", "exited")["State"]["ExitCode"] == 2


@fault(
    "container.option-missing",
    subject="container:vpn",
    also=["container.exits-at-start"],
    shareable=True,
)
def capability_that_is_missing(box: Box) -> None:
    """A program makes a network interface without NET_ADMIN; the kernel's own refusal."""
    run(
        box,
        "vpn",
        "--memory=64m",
        "--pids-limit=64",
        "bb:1.36",
        "sh",
        "-c",
        "ip link set lo mtu 1400 && exec sleep 1000",
    )
    assert box.wait_state("vpn", "exited")["State"]["ExitCode"] != 0
    assert "Operation not permitted" in logs(box, "vpn"), logs(box, "vpn")


_CLIENT = """
import http.client, json, os, socket, sys, time
class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect("/var/run/docker.sock")
client = Local("localhost")
version = os.environ.get("DOCKER_API_VERSION", "1.99")
client.request("GET", "/v" + version + "/containers/json")
answer = json.loads(client.getresponse().read())
if isinstance(answer, list):
    time.sleep(1000)
print('time="2026-01-02T14:12:09Z" level=error msg="Error response from daemon: ' + answer["message"] + '"')
print('time="2026-01-02T14:12:09Z" level=info msg="Waiting for the notification goroutine to finish" notify=no')
sys.exit(1)
"""


@fault(
    "container.client-api-too-new",
    subject="container:updater9",
    also=["container.exits-at-start", "security.*"],
    shareable=True,
)
def client_that_is_newer_than_the_engine(box: Box) -> None:
    """A client asks for the Docker API 1.99, and logs the engine's own answer as updaters do."""
    options = [
        "--memory=64m",
        "--pids-limit=64",
        *MACHINE,
        "-v",
        "/var/run/docker.sock:/var/run/docker.sock",
    ]
    run(box, "updater9", *options, "bb:1.36", "/usr/bin/python3", "-uc", _CLIENT)
    assert box.wait_state("updater9", "exited")["State"]["ExitCode"] == 1
    assert "is too new" in logs(box, "updater9"), logs(box, "updater9")


@fault("container.daemonized", subject="container:forker", shareable=True)
def server_in_the_background(box: Box) -> None:
    """busybox httpd without -f goes into the background, and the container ends with 0 at once."""
    run(
        box,
        "forker",
        *GOOD,
        "-p",
        "127.0.0.1:8971:8080",
        "bb:1.36",
        "httpd",
        "-p",
        "8080",
        "-h",
        "/www",
    )
    assert box.wait_state("forker", "exited")["State"]["ExitCode"] == 0


@fault("container.first-process-stopped", subject="container:halted", shareable=True)
def first_process_that_was_stopped(box: Box) -> None:
    """The first process of a container got SIGSTOP and never SIGCONT."""
    run(box, "halted", *GOOD, "bb:1.36", "sleep", "1000")
    pid = box.wait_state("halted", "running")["State"]["Pid"]
    box.sh(f"kill -STOP {pid}")
    box.wait_for(
        lambda: "T (stopped)" in box.sh(f"cat /proc/{pid}/status"), what="the process to stop"
    )


@fault("container.first-process-stopped", subject="container:iced", shareable=True)
def group_frozen_from_outside(box: Box) -> None:
    """Something beside the engine froze a container's control group, and the engine says
    "running"."""
    run(box, "iced", *GOOD, "bb:1.36", "sleep", "1000")
    pid = box.wait_state("iced", "running")["State"]["Pid"]
    folder = box.sh(f"awk -F: '$2 == \"freezer\" {{print $3}}' /proc/{pid}/cgroup").strip()
    if folder:
        switch, word = f"/sys/fs/cgroup/freezer{folder}/freezer.state", "FROZEN"
    else:
        folder = box.sh(f"awk -F: '$1 == 0 {{print $3}}' /proc/{pid}/cgroup").strip()
        switch, word = f"/sys/fs/cgroup{folder}/cgroup.freeze", "1"
    box.sh(f"echo {word} >{switch}")
    box.wait_for(lambda: box.sh(f"cat {switch}").strip() == word, what="the group to freeze")
    assert box.inspect("iced")["State"]["Status"] == "running"


@fault("container.mount-unwritable", subject="container:panel", also=["security.*"], shareable=True)
def socket_that_its_user_cannot_open(box: Box) -> None:
    """A dashboard as user 1000 with the engine's socket, whose group it is not in; nothing stands
    in its log."""
    mount = ["-v", "/var/run/docker.sock:/var/run/docker.sock"]
    run(box, "panel", *GOOD, *mount, "bb:1.36", "sleep", "1000")
    box.wait_state("panel", "running")
    done = box.docker("exec", "panel", "sh", "-c", "test -w /var/run/docker.sock", check=False)
    assert done.returncode != 0


@fault("container.data-outside-mount", subject="container:keeper", shareable=True)
def mount_one_level_too_high(box: Box) -> None:
    """The image declares a volume at /data/db, and the user mounts a folder at /data."""
    load(box, "keeper:1", Recipe(changes=("VOLUME /data/db",)))
    run(
        box,
        "keeper",
        "--memory=64m",
        "--pids-limit=64",
        "-v",
        "/srv/keeper:/data",
        "keeper:1",
        "sleep",
        "1000",
    )
    box.wait_state("keeper", "running")
    assert len(box.inspect("keeper")["Mounts"]) == 2


@fault(
    "container.lost-with-host",
    subject="host:host",
    also=["container.crashed", "container.exits-at-start"],
)
def engine_and_containers_killed_together(box: Box) -> None:
    """The engine, its shims and its containers are killed at once, as by a power loss, and the
    engine starts again."""
    for number in range(3):
        run(
            box,
            f"lost{number}",
            *GOOD,
            "-p",
            f"127.0.0.1:{8980 + number}:8080",
            "bb:1.36",
            "httpd",
            "-f",
            "-p",
            "8080",
            "-h",
            "/www",
        )
        box.wait_state(f"lost{number}", "running")
    time.sleep(2)
    pids = [box.inspect(f"lost{number}")["State"]["Pid"] for number in range(3)]
    for pid in (
        *box.pids_of("dockerd"),
        *box.pids_of("containerd"),
        *box.pids_of("containerd-shim"),
        *pids,
    ):
        box.sh(f"kill -9 {pid} 2>/dev/null || true")
    box.start_engine(config=BASE_CONFIG)
    assert [box.inspect(f"lost{number}")["State"]["Status"] for number in range(3)] == [
        "exited"
    ] * 3


BEHIND = {
    "dos": (b"#!/bin/sh\r\necho started\r\n", 0o755),
    "plain": (b"#!/bin/sh\nexec sleep 1000\n", 0o644),
    "strange": (b"\x7fELF\x02\x02\x01" + bytes(9) + b"\x00\x02\x00\x16" + bytes(4076), 0o755),
}


@fault(
    "container.interpreter-missing",
    subject="container:behind-dos",
    expect=[
        ("container.interpreter-missing", "container:behind-glibc"),
        ("container.entrypoint-forbidden", "container:behind-plain"),
        ("container.entrypoint-forbidden", "container:as-command"),
        ("container.entrypoint-missing", "container:behind-nothing"),
    ],
    also=["container.exits-at-start", "container.exec-format"],
    shareable=True,
)
def programs_behind_a_shell(box: Box) -> None:
    """The shell of an entrypoint meets a CRLF script, a glibc program without its loader, a file
    without an x bit, and nothing at all.

    And an image without an entrypoint takes the argument, a mounted folder, as the command.
    """
    files = {**BEHIND, "glibc": (box.path("/usr/bin/env").read_bytes(), 0o755)}
    load(box, "behind:1", Recipe(files=files, changes=('ENTRYPOINT ["sh","-c"]',)))
    for name in ("dos", "glibc", "plain", "nothing"):
        run(box, f"behind-{name}", *GOOD, "behind:1", f"/{name}; exit $?")
        box.wait_state(f"behind-{name}", "exited")
    box.docker(
        "run",
        "-d",
        "--name=as-command",
        *GOOD,
        "-v",
        "/srv/volume:/data",
        "bb:1.36",
        "/data",
        check=False,
    )
    assert box.inspect("as-command")["State"]["ExitCode"] == 126


_LIMITS = '[thresholds."container.open-files-unbounded"]\nhuge = 15000\nleast = 1\nsystem = 4\n'
_CLOSE_ALL = """
import os, resource
while True:
    for descriptor in range(3, resource.getrlimit(resource.RLIMIT_NOFILE)[0]):
        try:
            os.close(descriptor)
        except OSError:
            pass
"""


@fault(
    "container.open-files-unbounded",
    subject="container:closer",
    also=["resources.*"],
)
def program_that_closes_all_descriptors(box: Box) -> None:
    """A program closes every descriptor that it may have, over and over; a billion is beyond this
    machine, so the bounds are lowered."""
    box.write("/etc/diagnose/lab.toml", _LIMITS)
    options = [
        "--network=none",
        "--memory=64m",
        "--pids-limit=64",
        "--ulimit=nofile=20000:20000",
        *MACHINE,
    ]
    run(box, "closer", *options, "bb:1.36", "/usr/bin/python3", "-c", _CLOSE_ALL)
    box.wait_state("closer", "running")
    time.sleep(8)
