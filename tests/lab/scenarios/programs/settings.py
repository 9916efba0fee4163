"""Programs that miss a variable, an option, an instruction or a system call."""

from __future__ import annotations

import json

from tests.lab import Box, Engines, fault, healthy
from tests.lab.images import Recipe, load
from tests.lab.scenarios.programs.helpers import GOOD, MACHINE, POSTGRES, logs, run

_BOOTSTRAP = """
value=$(cat /proc/sys/vm/max_map_count)
least=262144
[ "$least" -gt "$value" ] || least=$((value * 2))
echo "[2026-01-02T10:00:00,000][INFO ][o.e.b.BootstrapChecks    ] [node-1] enforcing bootstrap checks"
echo "ERROR: [1] bootstrap checks failed"
echo "[1]: max virtual memory areas vm.max_map_count [$value] is too low, increase to at least [$least]"
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
    """A search server checks vm.max_map_count as Elasticsearch does, and ends with 78. Where the
    machine has enough for Elasticsearch, as newer distributions do, this server needs more."""
    run(box, "search9", *GOOD, "bb:1.36", "sh", "-c", _BOOTSTRAP)
    assert box.wait_state("search9", "exited")["State"]["ExitCode"] == 78


_TIME_SERVER = """
import socket, time
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
try:
    server.bind(("0.0.0.0", 123))
except OSError:
    print("Could not open NTP socket on 0.0.0.0:123", flush=True)
else:
    print("ready", flush=True)
time.sleep(1000)
"""


@fault("container.kernel-setting-low", subject="container:clock9")
def port_of_the_host_that_a_user_may_not_open(box: Box) -> None:
    """A time server on the host's network runs as a user, goes on without its port, and does not
    say why."""
    _time_server(box, "clock9", "--user=100:101")
    box.wait_for(lambda: "Could not open" in logs(box, "clock9"), what="the refusal")
    assert ":123 " not in box.sh("ss -lunH")


@healthy()
def port_of_the_host_that_root_opens(box: Box) -> None:
    """The same server as root."""
    _time_server(box, "clock9")
    box.wait_for(lambda: "ready" in logs(box, "clock9"), what="the open port")


def _time_server(box: Box, name: str, *options: str) -> None:
    limits = ["--memory=64m", "--pids-limit=64", "--network=host"]
    program = ["bb:1.36", "/usr/bin/python3", "-c", _TIME_SERVER]
    run(box, name, *limits, *options, *MACHINE, *program)


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
        "--network=none", "--memory=256m", "--pids-limit=200",
        "--security-opt=seccomp=/tmp/no-clone3.json", *MACHINE,
    ]  # fmt: skip
    run(
        box, "threads", *options, "-v", "/etc:/etc:ro", "bb:1.36", "/usr/bin/java", "-Xmx32m",
        "-version",
    )  # fmt: skip
    box.wait_state("threads", "exited")
    assert "pthread_create failed (EPERM)" in logs(box, "threads"), logs(box, "threads")


@fault(
    "container.syscall-refused",
    subject="container:threads",
    also=["container.*"],
    engine_started=False,
    engines=Engines(since=23),
)
def threads_that_the_profile_of_all_containers_refuses(box: Box) -> None:
    """The same filter, which the engine's file gives to every container."""
    box.write("/etc/docker/no-clone3.json", _NO_CLONE3)
    settings = {"log-opts": {"max-size": "10m", "max-file": "3"}}
    box.start_engine(config={**settings, "seccomp-profile": "/etc/docker/no-clone3.json"})
    options = (
        "--network=none",
        "--memory=256m",
        "--pids-limit=200",
        *MACHINE,
        "-v",
        "/etc:/etc:ro",
    )
    java = (*options, "bb:1.36", "/usr/bin/java", "-Xmx32m", "-version")
    run(box, "threads", *java)
    box.wait_state("threads", "exited")
    (finding,) = box.diagnose("check", "container.syscall-refused", "--format", "json").findings
    assert "seccomp profile /etc/docker/no-clone3.json" in finding["summary"]
    assert """--set '{"seccomp-profile": null}'""" in finding["fix"][0]["command"]
    box.stop_engine()
    box.start_engine(config=settings)
    box.docker("start", "threads")
    assert box.wait_state("threads", "exited")["State"]["ExitCode"] == 0
    box.stop_engine()
    box.start_engine(config={**settings, "seccomp-profile": "/etc/docker/no-clone3.json"})
    box.docker("start", "threads")
    box.wait_state("threads", "exited")


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
        "--network=none", "--memory=64m", "--memory-swap=64m", "--pids-limit=200", *MACHINE, "-v",
        "/etc:/etc:ro",
    ]  # fmt: skip
    java = ["/usr/bin/java", "-Xms256m", "-Xmx256m", "-XX:+AlwaysPreTouch", "-version"]
    run(box, "heap", *options, "bb:1.36", *java)
    assert box.wait_state("heap", "exited")["State"]["ExitCode"] == 137


@fault(
    "container.loopback-peer",
    subject="container:api9",
    also=["container.exits-at-start"],
    shareable=True,
    first_command=(
        "heals",
        "it calls the other container by its name; the database of the lab is a program that sleeps",
    ),
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
        box, "vpn", "--memory=64m", "--pids-limit=64", "bb:1.36", "sh", "-c",
        "ip link set lo mtu 1400 && exec sleep 1000",
    )  # fmt: skip
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
        "--memory=64m", "--pids-limit=64", *MACHINE, "-v",
        "/var/run/docker.sock:/var/run/docker.sock",
    ]  # fmt: skip
    run(box, "updater9", *options, "bb:1.36", "/usr/bin/python3", "-uc", _CLIENT)
    assert box.wait_state("updater9", "exited")["State"]["ExitCode"] == 1
    assert "is too new" in logs(box, "updater9"), logs(box, "updater9")
