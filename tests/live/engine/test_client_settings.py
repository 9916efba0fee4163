"""What the collector of `client.settings` reads of a user's files."""

from __future__ import annotations

import grp
import json
import os
import pwd
from pathlib import Path

import pytest

from diagnose.live import Live
from diagnose.live.disk import program_formats
from diagnose.live.engine import client_settings
from diagnose.questions.endpoint import (
    BrokenHelper,
    ClientProxy,
    ClientSettings,
    ReadClientSettings,
    UnreadStore,
)
from diagnose.questions.run import Options


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with .docker/cli-plugins, and one more that stands for the system's plugins."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path / "programs"))
    monkeypatch.delenv("DOCKER_CONFIG", raising=False)
    system = tmp_path / "system"
    for folder in (system, tmp_path / "programs", tmp_path / ".docker/cli-plugins"):
        folder.mkdir(parents=True)
    monkeypatch.setattr(client_settings, "_SYSTEM_PLUGINS", (str(system),))
    return tmp_path


def settings() -> ClientSettings:
    answer = ReadClientSettings.decode(client_settings.settings(Live(), ReadClientSettings()))
    assert isinstance(answer, ClientSettings)
    return answer


def program(path: Path, mode: int = 0o755) -> None:
    path.write_text("#!/bin/sh\n")
    path.chmod(mode)


def test_no_context_goes_wrong_where_the_caller_names_another_engine(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        monkeypatch.delenv(variable, raising=False)
    (home / ".docker/config.json").write_text(json.dumps({"currentContext": "colima"}))
    assert settings().context == "colima"
    for options in (Options(context="mistyped"), Options(host="unix:///run/other.sock")):
        answer = client_settings.settings(Live(options=options), ReadClientSettings())
        assert isinstance(answer, dict)
        assert answer["context"] == ""


def test_logins_stay_where_they_are(home: Path) -> None:
    config = {"auths": {"a.io": {"auth": "bWFkZTp1cA=="}}, "credsStore": "desktop"}
    (home / ".docker/config.json").write_text(json.dumps(config))
    answer = client_settings.settings(Live(), ReadClientSettings())
    assert "bWFkZTp1cA" not in json.dumps(answer)
    assert settings().absent == ("desktop",)


def test_logins_are_known_by_their_registries(home: Path) -> None:
    addresses = ("https://index.docker.io/v1/", "r:5000", "ghcr.io")
    config = {"auths": {address: {"auth": "bWFkZTp1cA=="} for address in addresses}}
    (home / ".docker/config.json").write_text(json.dumps(config))
    assert settings().logins == ("docker.io", "ghcr.io", "r:5000")


def test_helpers_that_are_installed(home: Path) -> None:
    config = {"credsStore": "keeper", "credHelpers": {"a.io": "other", "b.io": 7}}
    (home / ".docker/config.json").write_text(json.dumps(config))
    program(home / "programs/docker-credential-keeper")
    assert settings().absent == ("other",)


def test_a_helper_that_nobody_may_execute(home: Path) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "keeper"}))
    path = home / "programs/docker-credential-keeper"
    program(path, mode=0o644)
    assert (settings().absent, settings().not_executable) == (("keeper",), {"keeper": str(path)})


def test_a_helper_whose_own_program_is_missing(home: Path) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "pass"}))
    assert (settings().absent, settings().lacking) == (("pass",), ())
    program(home / "programs/docker-credential-pass")
    assert (settings().absent, settings().lacking) == ((), (("pass", "pass"),))
    program(home / "programs/pass")
    assert (settings().absent, settings().lacking) == ((), ())


WINDOWS = b"MZ" + bytes(62)
REFUSED: dict[str, tuple[bytes, str, str]] = {
    "a program of Windows": (WINDOWS, "windows", ""),
    "of another processor": (b"\x7fELF\2\2\1" + bytes(11) + b"\0\x16", "processor", "22"),
    "a page of a web server": (b"Not Found", "text", ""),
    "an empty file": (b"", "empty", ""),
    "an interpreter that is gone": (b"#! /opt/gone/python -E\n", "interpreter", "/opt/gone/python"),
}


@pytest.mark.parametrize(("content", "kind", "detail"), REFUSED.values(), ids=REFUSED)
def test_a_helper_that_the_kernel_refuses(
    home: Path, content: bytes, kind: str, detail: str
) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "desktop.exe"}))
    path = home / "programs/docker-credential-desktop.exe"
    program(path)
    assert settings().broken == ()
    path.write_bytes(content)
    assert settings().broken == (BrokenHelper("desktop.exe", str(path), kind, detail),)


FORMATS = {
    "WSL": ("enabled\ninterpreter /init\nflags: P\noffset 0\nmagic 4d5a\n", True),
    "switched off": ("disabled\ninterpreter /init\noffset 0\nmagic 4d5a\n", False),
    "a processor": ("enabled\ninterpreter /q\noffset 0\nmagic 7f454c46\nmask ffffffff\n", False),
    "an extension": ("enabled\ninterpreter /w\nflags: \nextension .exe\n", True),
}


@pytest.mark.parametrize(("registered", "runs"), FORMATS.values(), ids=FORMATS)
def test_a_program_of_windows_where_it_runs(
    home: Path, monkeypatch: pytest.MonkeyPatch, registered: str, runs: bool
) -> None:
    formats = home / "binfmt_misc"
    formats.mkdir()
    (formats / "status").write_text("enabled\n")
    (formats / "WSLInterop").write_text(registered)
    monkeypatch.setattr(program_formats, "_REGISTERED", formats)
    (home / ".docker/config.json").write_text(json.dumps({"credsStore": "desktop.exe"}))
    path = home / "programs/docker-credential-desktop.exe"
    program(path)
    path.write_bytes(WINDOWS)
    assert (settings().broken == ()) is runs


KEY = bytes.fromhex("A1B2C3D4E5F60718")
ENTRY = b"\x84\x0c\x03" + KEY + b"\x01\x02\x03" + b"\xd2\x08" + bytes(8)
"""A message for one key, as GnuPG writes it: its packet of the key, and the encrypted text."""
LONG_ENTRY = b"\x85\x01\x0c\x03" + KEY + bytes(259) + b"\xd2\x08" + bytes(8)


def _record(kind: int, content: bytes) -> bytes:
    """A record of a keybox: its length, its type, and the rest."""
    return (len(content) + 5).to_bytes(4, "big") + bytes([kind]) + content


STORES: dict[str, tuple[bytes, bytes, bool]] = {
    "the key is known": (ENTRY, _record(1, b"KBXf") + _record(2, b"xx" + KEY), True),
    "another key": (ENTRY, _record(1, b"KBXf") + _record(2, b"xx" + bytes(8)), False),
    "the key was deleted": (LONG_ENTRY, _record(0, b"xx" + KEY), False),
    "a message that names no key": (b"\x84\x0c\x03" + bytes(8) + b"\1\2\3", b"", True),
    "no message": (b"plain text", b"", True),
}


@pytest.mark.parametrize(("entry", "keybox", "is_read"), STORES.values(), ids=STORES)
def test_a_password_store(home: Path, entry: bytes, keybox: bytes, is_read: bool) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"credHelpers": {"r.lab.test": "pass"}}))
    for name in ("docker-credential-pass", "pass"):
        program(home / "programs" / name)
    store = home / ".password-store"
    assert settings().unread_store == UnreadStore(str(store))
    folder = store / "docker-credential-helpers/ci5sYWIudGVzdA=="
    folder.mkdir(parents=True)
    (store / ".gpg-id").write_text("made-up\n")
    assert settings().unread_store is None
    (folder / "ci.gpg").write_bytes(entry)
    (home / ".gnupg").mkdir()
    (home / ".gnupg/pubring.kbx").write_bytes(keybox)
    unread = UnreadStore(str(store), "r.lab.test", KEY.hex().upper())
    assert settings().unread_store == (None if is_read else unread)


def test_the_helpers_of_the_user_who_called_sudo(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = home / "caller"
    (caller / ".docker").mkdir(parents=True)
    (caller / ".docker/config.json").write_text(json.dumps({"credsStore": "keeper"}))
    user = pwd.struct_passwd(("anna", "x", 1234, 1234, "", str(caller), ""))
    monkeypatch.setattr(client_settings, "_sudo_caller", lambda: user)
    (own,) = filter(None, [settings().of_caller])
    assert (own.user, own.absent) == ("anna", ("keeper",))
    (caller / "bin").mkdir()
    program(caller / "bin/docker-credential-keeper")
    (own,) = filter(None, [settings().of_caller])
    assert own.absent == ()


@pytest.mark.parametrize(
    ("text", "malformed"),
    [("", "it is empty"), ('{"auths": {},}', "line 1 is not JSON"), ("[]", "it holds no object")],
)
def test_a_file_that_is_no_json(home: Path, text: str, malformed: str) -> None:
    (home / ".docker/config.json").write_text(text)
    assert settings().malformed == malformed


def test_no_file(home: Path) -> None:
    assert (settings().file, settings().malformed) == ("", "")


def test_plugins_of_the_client_that_do_not_start(home: Path) -> None:
    own = home / ".docker/cli-plugins"
    (own / "docker-gone").symlink_to(home / "removed")
    (own / "docker-elsewhere").symlink_to(home / "removed")
    program(home / "system/docker-elsewhere")
    program(own / "docker-shadow", 0o644)
    program(home / "system/docker-shadow")
    program(own / "docker-fine")
    found = {plugin.name: plugin.failure for plugin in settings().plugins}
    assert found == {"gone": "missing", "shadow": "forbidden"}


BUS = "docker-credential-secretservice"
WITHOUT_BUS = {
    "nothing is configured": ("{}", {}, "", BUS),
    "it is configured": ('{"credsStore": "secretservice"}', {}, "", BUS),
    "a session of a desktop": ("{}", {"DBUS_SESSION_BUS_ADDRESS": "unix:path=/x"}, "", ""),
    "logins in the file": ('{"auths": {"a.io": {}}}', {}, "", ""),
    "another helper": ('{"credsStore": "keeper"}', {}, "", ""),
    "pass comes first": ("{}", {}, "pass", ""),
}


@pytest.mark.parametrize(
    ("config", "variables", "other", "expected"), WITHOUT_BUS.values(), ids=WITHOUT_BUS
)
def test_a_helper_of_desktops(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: str,
    variables: dict[str, str],
    other: str,
    expected: str,
) -> None:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home))
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    (home / ".docker/config.json").write_text(config)
    assert settings().without_bus == ""
    for name in filter(None, (BUS, other)):
        program(home / "programs" / name)
    assert settings().without_bus == (str(home / "programs" / expected) if expected else "")


OF_ANOTHER = {
    "a file of its owner alone": (0o755, 0o600, (), "config.json"),
    "a file that all may read": (0o755, 0o644, (), ""),
    "a folder of its owner alone": (0o700, 0o644, (), "."),
    "a file of a group": (0o755, 0o640, (), "config.json"),
    "a file of the user's group": (0o755, 0o640, (os.getgid(),), ""),
}


@pytest.mark.parametrize(
    ("folder", "file", "groups", "closed"), OF_ANOTHER.values(), ids=OF_ANOTHER
)
def test_files_that_the_caller_of_sudo_may_not_read(
    home: Path,
    monkeypatch: pytest.MonkeyPatch,
    folder: int,
    file: int,
    groups: tuple[int, ...],
    closed: str,
) -> None:
    (home / ".docker/config.json").write_text("{}")
    (home / ".docker/config.json").chmod(file)
    (home / ".docker").chmod(folder)
    caller, docker = os.getuid() + 1, os.getgid() + 2
    entry = pwd.struct_passwd(("deploy", "x", caller, caller, "", str(home), "/bin/sh"))
    monkeypatch.setenv("SUDO_USER", "deploy")
    monkeypatch.setenv("HOME", str(home / "of-root"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(pwd, "getpwnam", lambda _: entry)
    monkeypatch.setattr(os, "getgrouplist", lambda *_: [docker, *groups])
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", docker, [])))
    found = settings().closed
    assert (found.path if found else "") == (str(home / ".docker" / closed) if closed else "")
    assert found is None or found.user == "deploy"
    monkeypatch.setattr(os, "getgrouplist", lambda *_: groups)
    assert settings().closed is None


def test_logins_of_the_caller_of_sudo(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / ".docker/config.json").write_text(
        '{"auths": {"https://index.docker.io/v1/": {"auth": "eA=="}, "r.lab.test:5000": {}}}'
    )
    entry = pwd.struct_passwd(("ann", "x", 1000, 1000, "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", lambda _: entry)
    monkeypatch.setenv("HOME", str(home / "of-root"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert settings().caller is None
    monkeypatch.setenv("SUDO_USER", "ann")
    caller = settings().caller
    assert caller is not None
    assert (caller.user, caller.folder) == ("ann", str(home / ".docker"))
    assert "docker.io" in caller.logins
    assert settings().lends_login("docker.io")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert settings().caller is None


def test_logins_of_other_users(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of those who log in, and of services below /home; a member of the group needs no login."""
    (home / ".docker/config.json").write_text('{"auths": {"r.lab.test:5000": {"auth": "eA=="}}}')
    without = str(home / "of-others")
    users = [
        f"{name}:x:{number}:{number}::{folder}:/bin/sh\n"
        for name, number, folder in (
            ("root", 0, without),
            ("daemon", 1, str(home)),
            ("ann", 1000, str(home)),
            ("ben", 1001, without),
            ("eve", 1002, without),
        )
    ]
    passwd = home / "passwd"
    passwd.write_text("".join(["+::::::\n", *users]))
    monkeypatch.setattr(client_settings, "USERS", passwd)
    monkeypatch.setattr(grp, "getgrnam", lambda name: grp.struct_group((name, "x", 9, ["ben"])))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    others = settings().others
    assert [(other.user, other.logins) for other in others] == [
        ("ann", ("r.lab.test:5000",)),
        ("ben", ()),
    ]
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert [other.user for other in settings().others] == ["ben"]


def test_proxies_of_this_user_and_of_the_caller_of_sudo(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {"httpsProxy": "http://p:3128", "noProxy": "localhost", "ftpProxy": 7}
    config = {"proxies": {"default": given, "tcp://other:2376": {"httpProxy": "http://q:1"}}}
    path = home / ".docker/config.json"
    path.write_text(json.dumps(config))
    expected = ClientProxy(str(path), https="http://p:3128", exceptions="localhost")
    assert settings().proxies == (expected,)
    entry = pwd.struct_passwd(("ann", "x", 1000, 1000, "", str(home), "/bin/sh"))
    monkeypatch.setattr(pwd, "getpwnam", lambda _: entry)
    monkeypatch.setenv("HOME", str(home / "of-root"))
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert settings().proxies == ()
    monkeypatch.setenv("SUDO_USER", "ann")
    assert settings().proxies == (expected,)


@pytest.mark.parametrize("proxies", [None, 7, [], {"default": "p"}, {"default": {}}])
def test_no_proxies(home: Path, proxies: object) -> None:
    (home / ".docker/config.json").write_text(json.dumps({"proxies": proxies}))
    assert settings().proxies == ()
