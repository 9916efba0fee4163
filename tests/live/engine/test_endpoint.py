"""Which engine is meant: options, environment, contexts, users."""

from __future__ import annotations

import hashlib
import json
import os
import pwd
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from diagnose.live import Refused
from diagnose.live.engine.docker_py import Tls
from diagnose.live.engine.endpoint import MOST_BYTES, current_context, parse, resolve, rootless
from diagnose.questions.run import Options


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
    "a byte that is not text": (Options(), {"DOCKER_HOST": "unix:///\udcff"}, "malformed"),
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
def test_addresses_of_an_engine(url: str, expected: tuple[str, str, int | None]) -> None:
    found = parse(url, "-H")
    assert (found.scheme, found.address, found.port) == expected


def test_tls_of_contexts_and_of_the_environment(config: Path) -> None:
    environ = {"DOCKER_CONFIG": str(config)}
    tls = resolve(Options(context="tls"), environ).tls
    assert tls is not None
    assert tls.verify
    assert tls.ca is not None
    assert tls.cert is not None
    assert resolve(Options(context="loose"), environ).tls == Tls(
        ca=None, cert=None, key=None, verify=False
    )
    assert resolve(Options(context="vm"), environ).tls is None
    host = {"DOCKER_HOST": "tcp://h"}
    assert resolve(Options(), host).port == 2375
    verified = resolve(
        Options(), {**host, "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": "/nonexistent"}
    )
    assert (verified.port, verified.tls) == (2376, Tls(ca=None, cert=None, key=None, verify=True))


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


def test_a_configuration_that_is_a_pipe_is_not_opened(tmp_path: Path) -> None:
    """A pipe would hold up whatever needs the engine's address."""
    pipe = tmp_path / "config.json"
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=pipe.write_text, args=('{"currentContext": "far"}',), daemon=True
    )
    writer.start()
    assert current_context({"DOCKER_CONFIG": str(tmp_path)}) is None
    os.close(os.open(pipe, os.O_RDONLY | os.O_NONBLOCK))
    writer.join(5)


def test_of_a_large_configuration_the_beginning_is_read(tmp_path: Path) -> None:
    """Root reads the files of other users too, and memory is bounded."""
    text = '{"a": "%s", "currentContext": "far"}'
    config = tmp_path / "config.json"
    for size, context in ((1000, "far"), (MOST_BYTES, None)):
        config.write_text(text % ("x" * size))
        assert current_context({"DOCKER_CONFIG": str(tmp_path)}) == context
