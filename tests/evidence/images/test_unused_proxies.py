"""Proxies that files of the host name."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.engine.client import ClientProxy, ClientSettings
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pulls import Pulls, PullTrouble
from diagnose.evidence.images.pulls.unused_proxies import UnusedProxy, unused_proxies
from diagnose.model import Failed
from tests.hosts import Made

NO_WAY = Pulls((PullTrouble("unreachable", "docker.io", "", 1, 1.0, 1.0, "dial tcp"),), "log")
SHELL, DROP_IN = "/etc/environment", "/etc/systemd/system/docker.service.d/proxy.conf"
P = "http://p:3128"
TEXTS: dict[str, tuple[str, str, UnusedProxy | None]] = {
    "as pam_env reads it": (
        SHELL, f'https_proxy="{P}"\nno_proxy=localhost,.lan\n',
        UnusedProxy(SHELL, P, exceptions="localhost,.lan"),
    ),
    "for HTTP alone": (SHELL, f"HTTP_PROXY={P}\n", UnusedProxy(SHELL, P, P)),
    "one that repeats another": (
        SHELL, f"export http_proxy={P}; export https_proxy=$http_proxy\n", UnusedProxy(SHELL, P, P)
    ),
    "a comment": (SHELL, f"#https_proxy={P}\n", None),
    "a function that somebody has to call": (
        "/etc/profile.d/proxy.sh", f"proxy_on() {{\n  export https_proxy={P}\n}}\n", None,
    ),
    "a drop-in": (
        DROP_IN, f'[Service]\nEnvironment="HTTPS_PROXY={P}" "NO_PROXY=localhost"\n',
        UnusedProxy(DROP_IN, P, exceptions="localhost", is_drop_in=True),
    ),
    "no proxy": (SHELL, "LANG=C.UTF-8\nno_proxy=localhost\n", None),
}  # fmt: skip


def host(path: str, text: str) -> Made:
    folder, _, name = path.rpartition("/")

    def listing(question: Any) -> Any:
        if question.path != folder:
            return Failed("missing", question.path)
        return {"entries": [{"name": name, "type": "file"}]}

    def file(question: Any) -> Any:
        return {"text": text} if question.path == path else Failed("missing", question.path)

    return Made({"file.list": listing, "file.read": file})


@pytest.mark.parametrize(("path", "text", "expected"), TEXTS.values(), ids=TEXTS)
def test_what_a_file_says(path: str, text: str, expected: UnusedProxy | None) -> None:
    found = unused_proxies(host(path, text), Info(), NO_WAY, None)
    assert list(found) == ([expected] if expected else [])


def test_the_file_of_the_docker_command_comes_last() -> None:
    client = ClientSettings(proxies=(ClientProxy("/a/.docker/config.json", P),))
    found = unused_proxies(host(SHELL, f"https_proxy={P}\n"), Info(), NO_WAY, client)
    assert [proxy.file for proxy in found] == [SHELL, "/a/.docker/config.json"]
    assert [proxy.https for proxy in found] == [P, P]


@pytest.mark.parametrize(
    ("info", "pulls"),
    [(Info(https_proxy=P), NO_WAY), (Info(http_proxy=P), NO_WAY), (Info(), Pulls((), "log"))],
    ids=["an engine with a proxy", "one with a proxy for HTTP", "no pull that failed"],
)
def test_where_nobody_looks(info: Info, pulls: Pulls) -> None:
    made = host(SHELL, f"https_proxy={P}\n")
    client = ClientSettings(proxies=(ClientProxy("/root/.docker/config.json", P),))
    assert not len(unused_proxies(made, info, pulls, client))
    assert not made.asked
