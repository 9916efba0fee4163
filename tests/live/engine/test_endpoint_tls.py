"""Engines behind TLS and ssh."""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from diagnose.live import Live
from diagnose.model import Failed
from diagnose.questions.run import Options
from tests.live.endpoints import PING
from tests.questions import question


def openssl(*args: str, cwd: Path) -> None:
    subprocess.run(["openssl", *args], cwd=cwd, check=True, capture_output=True)


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up authority, a server's certificate for localhost, a client's, as DOCKER_CERT_PATH
    has them."""
    folder = tmp_path_factory.mktemp("pki")
    new = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    openssl(
        "req",
        "-x509",
        *new,
        "-subj",
        "/CN=ca",
        "-keyout",
        "ca-key.pem",
        "-out",
        "ca.pem",
        cwd=folder,
    )
    for name, extra in (
        ("server", ("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1")),
        ("client", ()),
    ):
        out = ("-keyout", f"{name}-key.pem", "-out", f"{name}.pem")
        signed = ("-CA", "ca.pem", "-CAkey", "ca-key.pem")
        openssl("req", "-x509", *new, *signed, "-subj", f"/CN={name}", *extra, *out, cwd=folder)
    (folder / "cert.pem").write_bytes((folder / "client.pem").read_bytes())
    (folder / "key.pem").write_bytes((folder / "client-key.pem").read_bytes())
    return folder


LONG_BODY = json.dumps(["x" * 1000] * 300).encode()
LONG = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(LONG_BODY), LONG_BODY)


@pytest.fixture
def tls_port(certificates: Path) -> Any:
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(certificates / "server.pem", certificates / "server-key.pem")
    server.load_verify_locations(certificates / "ca.pem")
    server.verify_mode = ssl.CERT_REQUIRED
    listener = socket.create_server(("127.0.0.1", 0))

    def converse(plain: socket.socket) -> None:
        with suppress(OSError), server.wrap_socket(plain, server_side=True) as connection:
            while asked := connection.recv(4096):
                connection.sendall(PING if b"/_ping" in asked else LONG)

    def serve() -> None:
        with suppress(OSError):
            while True:
                plain, _ = listener.accept()
                threading.Thread(target=converse, args=(plain,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield listener.getsockname()[1]
    listener.close()


def ask_ping(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> Any:
    for name in (
        "DOCKER_HOST",
        "DOCKER_CONTEXT",
        "DOCKER_TLS",
        "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH",
    ):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return Live().ask(question("api.ping"))


def test_tls_with_a_client_certificate(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, tls_port: int
) -> None:
    host = {"DOCKER_HOST": f"tcp://127.0.0.1:{tls_port}"}
    mutual = {**host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": str(certificates)}
    assert ask_ping(monkeypatch, mutual)["api_version"] == "1.51"


def test_many_questions_over_tls(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, tls_port: int
) -> None:
    """Answers of many records: what TLS has read ahead is no longer to be seen on the socket."""
    monkeypatch.setenv("DOCKER_TLS_VERIFY", "1")
    monkeypatch.setenv("DOCKER_CERT_PATH", str(certificates))
    asked = [question("api.container", id=str(n)) for n in range(40)]
    waiting = list(asked)
    live = Live(Options(host=f"tcp://127.0.0.1:{tls_port}"))
    answers = dict(live.serve("api", lambda: waiting.pop() if waiting else None))
    assert answers == {question: ["x" * 1000] * 300 for question in asked}


def test_tls_that_fails_says_so(
    monkeypatch: pytest.MonkeyPatch, certificates: Path, tls_port: int, tmp_path: Path
) -> None:
    (tmp_path / "ca.pem").write_text("rubbish", encoding="ascii")
    (tmp_path / "half").mkdir()
    (tmp_path / "half" / "cert.pem").write_bytes((certificates / "cert.pem").read_bytes())
    host = {"DOCKER_HOST": f"tcp://127.0.0.1:{tls_port}", "DOCKER_TLS_VERIFY": "1"}
    cases = {
        "authority unknown": ({**host, "DOCKER_CERT_PATH": "/nonexistent"}, "refused", "TLS"),
        "authority unreadable": (
            {**host, "DOCKER_CERT_PATH": str(tmp_path)},
            "malformed",
            "ca.pem",
        ),
        "key missing": ({**host, "DOCKER_CERT_PATH": str(tmp_path / "half")}, "missing", "key.pem"),
        "plain HTTP at a TLS port": ({"DOCKER_HOST": host["DOCKER_HOST"]}, "refused", ""),
    }
    for name, (environ, reason, detail) in cases.items():
        answer = ask_ping(monkeypatch, environ)
        assert isinstance(answer, Failed), name
        assert (answer.reason, detail in answer.detail) == (reason, True), (name, answer)


def ssh_in(folder: Path, script: str) -> str:
    """A PATH whose `ssh` is this Python script: it gets the arguments that ssh would get."""
    program = folder / "ssh"
    program.write_text(f"#!{sys.executable}\n{script}", encoding="ascii")
    program.chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def test_ssh_speaks_through_dial_stdio(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = (
        "import os, sys\n"
        f"open({str(tmp_path / 'argv')!r}, 'w').write(' '.join(sys.argv[1:]))\n"
        "while os.read(0, 4096):\n"
        f"    os.write(1, {PING!r})\n"
    )
    environ = {
        "PATH": ssh_in(tmp_path, script),
        "DOCKER_HOST": "ssh://ops@far.example:2222/run/user/7/docker.sock",
    }
    assert ask_ping(monkeypatch, environ)["api_version"] == "1.51"
    assert (tmp_path / "argv").read_text(encoding="ascii") == (
        "-T -o BatchMode=yes -o ConnectTimeout=5 -l ops -p 2222 -- far.example "
        "docker --host unix:///run/user/7/docker.sock system dial-stdio"
    )


def test_ssh_that_fails_is_quoted(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    script = "import sys\nsys.exit('ops@far.example: Permission denied (publickey).')\n"
    answer = ask_ping(
        monkeypatch, {"PATH": ssh_in(tmp_path, script), "DOCKER_HOST": "ssh://far.example"}
    )
    assert isinstance(answer, Failed)
    assert answer.reason == "refused"
    assert "Permission denied (publickey)" in answer.detail


def test_no_ssh_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answer = ask_ping(monkeypatch, {"PATH": str(tmp_path), "DOCKER_HOST": "ssh://far.example"})
    assert isinstance(answer, Failed)
    assert answer.reason == "missing"


def test_local_socket_imports_neither_docker_nor_ssl() -> None:
    script = (
        "import sys; from diagnose.live import Live; from tests.questions import question as q; live = Live();"
        "live.ask(q('endpoint')), live.ask(q('api.ping'));"
        "print(sorted({'docker', 'requests', 'ssl', 'http.client', 'tarfile'} & set(sys.modules)))"
    )
    environ = {"PATH": os.environ["PATH"], "HOME": "/nonexistent"}
    out = subprocess.run(
        [sys.executable, "-c", script], env=environ, capture_output=True, text=True, check=True
    )
    assert out.stdout.strip() == "[]"
