"""Which engine is meant: every way of naming one, and connecting over TLS and ssh for real, on
loopback."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import socket
import ssl
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diagnose.live import Live, Refused
from diagnose.live.engine.docker_py import Tls
from diagnose.live.engine.endpoint import parse, resolve, rootless
from diagnose.model import Failed
from diagnose.questions.run import Options
from tests.questions import question

PING = b"HTTP/1.1 200 OK\r\nApi-Version: 1.51\r\nContent-Length: 2\r\n\r\nOK"


def context(
    folder: Path, name: str, host: Any, *, insecure: bool = False, pem: bool = False
) -> None:
    """A context as `docker context create` writes it (docker 28.5.2)."""
    digest = hashlib.sha256(name.encode()).hexdigest()
    meta = folder / "contexts" / "meta" / digest
    meta.mkdir(parents=True)
    endpoint = {"Host": host, "SkipTLSVerify": insecure}
    (meta / "meta.json").write_text(
        json.dumps({"Name": name, "Metadata": {}, "Endpoints": {"docker": endpoint}}),
        encoding="utf-8",
    )
    if pem:
        store = folder / "contexts" / "tls" / digest / "docker"
        store.mkdir(parents=True)
        for file in ("ca", "cert", "key"):
            (store / f"{file}.pem").write_text("made up", encoding="ascii")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    context(tmp_path, "vm", "unix:///home/u/.colima/docker.sock")
    context(tmp_path, "far", "ssh://ops@far.example:2222")
    context(tmp_path, "tls", "tcp://10.0.0.5:2376", pem=True)
    context(tmp_path, "loose", "tcp://10.0.0.6:2376", insecure=True)
    context(tmp_path, "odd", 5)
    (tmp_path / "config.json").write_text('{"currentContext": "far"}', encoding="ascii")
    return tmp_path


CHOICES: dict[str, tuple[Options, dict[str, str], tuple[str, str, str | None]]] = {
    "current context": (Options(), {}, ("ssh://ops@far.example:2222", "currentContext", "far")),
    "DOCKER_CONTEXT before the current one": (
        Options(),
        {"DOCKER_CONTEXT": "vm"},
        ("unix:///home/u/.colima/docker.sock", "DOCKER_CONTEXT", "vm"),
    ),
    "DOCKER_HOST before DOCKER_CONTEXT": (
        Options(),
        {"DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "vm"},
        ("unix:///x.sock", "DOCKER_HOST", None),
    ),
    "--context before DOCKER_HOST": (
        Options(context="tls"),
        {"DOCKER_HOST": "unix:///x.sock"},
        ("tcp://10.0.0.5:2376", "--context", "tls"),
    ),
    "-H before all": (
        Options(host="tcp://h:1"),
        {"DOCKER_HOST": "unix:///x.sock", "DOCKER_CONTEXT": "vm"},
        ("tcp://h:1", "-H", None),
    ),
    "the default context follows DOCKER_HOST": (
        Options(context="default"),
        {"DOCKER_HOST": "unix:///x.sock"},
        ("unix:///x.sock", "DOCKER_HOST", "default"),
    ),
}


@pytest.mark.parametrize(("settings", "environ", "expected"), CHOICES.values(), ids=CHOICES)
def test_order_of_the_docker_cli(
    config: Path, settings: Options, environ: dict[str, str], expected: tuple[str, str, str | None]
) -> None:
    found = resolve(settings, {"DOCKER_CONFIG": str(config), **environ})
    assert (found.url, found.source, found.context) == expected
    assert found.named


def test_nothing_named_is_a_local_socket(tmp_path: Path) -> None:
    found = resolve(Options(), {"HOME": str(tmp_path)})
    assert (found.scheme, found.named, found.tls) == ("unix", False, None)


@pytest.mark.skipif(
    os.path.exists("/var/run/docker.sock"), reason="this machine has a default socket"
)
def test_rootless_socket_where_there_is_no_default_one(tmp_path: Path) -> None:
    environ = {"HOME": "/nonexistent", "XDG_RUNTIME_DIR": str(tmp_path)}
    (tmp_path / "podman").mkdir()
    with socket.socket(socket.AF_UNIX) as podman, socket.socket(socket.AF_UNIX) as docker:
        podman.bind(str(tmp_path / "podman" / "podman.sock"))
        assert resolve(Options(), environ).source == "podman socket"
        docker.bind(str(tmp_path / "docker.sock"))
        found = resolve(Options(), environ)
    assert (found.source, found.address) == ("rootless socket", str(tmp_path / "docker.sock"))


@pytest.fixture
def user_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The home of every user but 4243, whom nobody knows."""

    def entry(uid: int) -> SimpleNamespace:
        if uid == 4243:
            raise KeyError(uid)
        return SimpleNamespace(pw_dir=str(tmp_path / "home"))

    monkeypatch.setattr(pwd, "getpwuid", entry)
    return tmp_path / "home"


def test_engine_of_a_user(user_home: Path) -> None:
    found = rootless("/run/user/4242/docker.sock", {})
    assert found == {
        "uid": 4242,
        "config": f"{user_home}/.config/docker/daemon.json",
        "data": f"{user_home}/.local/share/docker",
        "runtime": "/run/user/4242",
        "traces": False,
    }
    (user_home / ".local/share/docker").mkdir(parents=True)
    assert rootless("/var/run/user/4242/docker.sock", {})["traces"] is True


def test_engine_of_a_user_whom_nobody_knows(user_home: Path) -> None:
    found = rootless("/run/user/4243/docker.sock", {})
    assert (found["config"], found["data"], found["traces"]) == (None, None, None)


def test_engine_of_this_user_whose_session_keeps_its_things_elsewhere(
    user_home: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    environ = {"XDG_RUNTIME_DIR": str(tmp_path), "XDG_CONFIG_HOME": "/elsewhere"}
    found = rootless(
        f"{tmp_path}/docker.sock", {**environ, "XDG_DATA_HOME": f"{user_home}/.local/share/"}
    )
    assert (found["uid"], found["config"], found["runtime"]) == (4242, None, str(tmp_path))
    assert found["data"] == f"{user_home}/.local/share/docker"
    assert rootless("/run/user/4244/docker.sock", environ)["config"] is not None


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a folder away")
def test_owner_of_the_sockets_folder_tells_whose_engine_it_is(
    user_home: Path, tmp_path: Path
) -> None:
    path = str(tmp_path / "docker.sock")
    assert rootless(path, {}) is None
    os.chown(tmp_path, 4242, 4242)
    assert rootless(path, {}) is None
    (user_home / ".config/docker").mkdir(parents=True)
    (user_home / ".config/docker/daemon.json").touch()
    assert rootless(path, {})["uid"] == 4242
    machine = tmp_path / ".colima" / "default"
    machine.mkdir(parents=True)
    os.chown(machine, 4242, 4242)
    assert rootless(f"{machine}/docker.sock", {}) is None


@pytest.mark.parametrize(
    "path",
    [
        "/var/run/docker.sock",
        "/run/user/0/docker.sock",
        "/run/user/7/podman/podman.sock",
        "/home/u/.colima/docker.sock",
    ],
)
def test_engine_of_no_user(path: str) -> None:
    assert rootless(path, {"XDG_RUNTIME_DIR": "/run/user/7"}) is None


REFUSED: dict[str, tuple[Options, dict[str, str], str]] = {
    "context that does not exist": (Options(context="none"), {}, "missing"),
    "context without an address": (Options(context="odd"), {}, "malformed"),
    "two at once": (Options(host="unix:///x", context="vm"), {}, "malformed"),
    "scheme nobody knows": (Options(host="ftp://x"), {}, "malformed"),
    "a path without its scheme": (Options(), {"DOCKER_HOST": "/var/run/docker.sock"}, "malformed"),
    "half a scheme": (Options(host="unix:/var/run/docker.sock"), {}, "malformed"),
    "Windows pipe": (Options(host="npipe:////./pipe/docker"), {}, "malformed"),
    "port that is none": (Options(), {"DOCKER_HOST": "tcp://x:port"}, "malformed"),
    "port beyond 65535": (Options(), {"DOCKER_HOST": "tcp://x:70000"}, "malformed"),
    "ssh without a host": (Options(host="ssh://"), {}, "malformed"),
    "an option to ssh in place of a host": (
        Options(host="ssh://-oProxyCommand=x"),
        {},
        "malformed",
    ),
    "an option to ssh in place of a user": (
        Options(host="ssh://-oProxyCommand=x@h"),
        {},
        "malformed",
    ),
    "a byte that is no text": (Options(), {"DOCKER_HOST": "unix:///\udcff"}, "malformed"),
    "a control character": (Options(host="unix:///x\x1b[2J"), {}, "malformed"),
    "path too long for a socket": (Options(host="unix:///" + "x" * 108), {}, "malformed"),
}


@pytest.mark.parametrize(("settings", "environ", "reason"), REFUSED.values(), ids=REFUSED)
def test_endpoint_that_cannot_be_is_refused(
    config: Path, settings: Options, environ: dict[str, str], reason: str
) -> None:
    with pytest.raises(Refused) as refused:
        resolve(settings, {"DOCKER_CONFIG": str(config), **environ})
    assert refused.value.failed.reason == reason
    assert refused.value.failed.detail
    assert refused.value.failed.detail.isprintable()


URLS = {
    "tcp://10.0.0.1": ("tcp", "10.0.0.1", 2375),
    "tcp://[::1]:99": ("tcp", "::1", 99),
    "10.0.0.1:99": ("tcp", "10.0.0.1", 99),
    ":2375": ("tcp", "127.0.0.1", 2375),
    "": ("unix", "/var/run/docker.sock", None),
    "unix://": ("unix", "/var/run/docker.sock", None),
    "unix:///run/user/1000/docker.sock": ("unix", "/run/user/1000/docker.sock", None),
    "ssh://h": ("ssh", "h", None),
    "ssh://u@h:22/run/user/1/docker.sock": ("ssh", "h", 22),
}


@pytest.mark.parametrize(("url", "expected"), URLS.items(), ids=URLS)
def test_urls(url: str, expected: tuple[str, str, int | None]) -> None:
    found = parse(url, "-H")
    assert (found.scheme, found.address, found.port) == expected


def test_tls_of_contexts_and_of_the_environment(config: Path) -> None:
    environ = {"DOCKER_CONFIG": str(config)}
    tls = resolve(Options(context="tls"), environ).tls
    assert tls is not None
    assert tls.verify
    assert tls.ca is not None
    assert tls.cert is not None
    assert resolve(Options(context="loose"), environ).tls == Tls(None, None, None, verify=False)
    assert resolve(Options(context="vm"), environ).tls is None
    host = {"DOCKER_HOST": "tcp://h"}
    assert resolve(Options(), host).port == 2375
    verified = resolve(
        Options(), {**host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"}
    )
    assert (verified.port, verified.tls) == (2376, Tls(None, None, None, verify=True))


def test_contexts_are_read_as_docker_py_reads_them(config: Path) -> None:
    """docker-py is asked in a process of its own: it takes the store's place from the
    environment."""
    script = (
        "import json, sys; from docker.context import ContextAPI as A; "
        "print(json.dumps([A.kwargs_from_context(n)['base_url'] for n in sys.argv[1:]] + [A.get_context().Name]))"
    )
    environ = {**os.environ, "DOCKER_CONFIG": str(config)}
    out = subprocess.run(
        [sys.executable, "-c", script, "vm", "far"],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    ours = [resolve(Options(context=name), environ).url for name in ("vm", "far")]
    assert json.loads(out.stdout) == [
        *ours,
        resolve(Options(), {"DOCKER_CONFIG": str(config)}).context,
    ]


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
    assert answers == {each: ["x" * 1000] * 300 for each in asked}


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
