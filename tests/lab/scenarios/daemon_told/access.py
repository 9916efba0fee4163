"""APIs that are too open, or closed to a client."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.runner import BASE_CONFIG
from tests.lab.scenarios.daemon_told.helpers import DAEMON


@fault(
    "daemon.remote-api-open",
    subject=DAEMON,
    flags=("-H", "unix:///var/run/docker.sock", "-H", "tcp://0.0.0.0:2375", "--tls=false"),
    exit_code=1,
    first_command=("heals", "where the unit starts the engine; a box has no unit"),
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
    first_command=("heals", "where the unit starts the engine; a box has no unit"),
)
def old_client(box: Box) -> None:
    """A proxy with the engine's socket speaks API 1.11, and logs what it is told."""
    script = "printf 'GET /v1.11/info HTTP/1.0\\r\\n\\r\\n' | nc 127.0.0.1 2375; exec sleep 1000"
    options = "run -d --name=traefik --network=host --memory=32m --pids-limit=32 -v /var/run/docker.sock:/var/run/docker.sock"
    box.docker(*options.split(), "bb:1.36", "sh", "-c", script)
    box.wait_for(lambda: "is too old" in box.docker("logs", "traefik").stdout, what="the answer")


@fault("daemon.not-running", subject=DAEMON, flags=("-H", "unix:///run/docker.sock"))
def served_at_another_path(box: Box) -> None:
    """/var/run was a link to /run, where the engine's socket is, and has become a folder."""
    box.sh("rm /var/run && mkdir /var/run")
    refused = box.run(["docker", "ps"], check=False)
    assert "unix:///var/run/docker.sock" in refused.stderr
    (finding,) = box.diagnose("check", "daemon.not-running", "--format", "json").findings
    assert "serves /run/docker.sock, but clients ask /var/run/docker.sock" in finding["summary"]
    command = finding["fix"][0]["command"]
    assert command.startswith("for path in /run/*; do ln -s"), command


@healthy(flags=("-H", "unix:///run/docker.sock"))
def served_below_run(box: Box) -> None:
    """The engine serves /run/docker.sock, and /var/run is a link to /run, as it should be."""
    assert box.sh("readlink /var/run").strip() == "/run"
    box.docker("ps")


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
    "-H", "unix:///var/run/docker.sock", "-H", "tcp://127.0.0.1:2376", "--tlsverify",
    "--tlscacert=/etc/docker/tls/ca.pem", "--tlscert=/etc/docker/tls/server.pem",
    "--tlskey=/etc/docker/tls/server-key.pem",
)  # fmt: skip


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
    client and a lone probe of the port are not findings. At last the engine's own has expired."""
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
