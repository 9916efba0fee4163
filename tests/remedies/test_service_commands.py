"""The engine's service commands, as each kind of host has them."""

from __future__ import annotations

import pytest

from diagnose.model import Trait
from diagnose.runbooks import for_host, has_fix

START = "systemctl reset-failed docker; systemctl start docker"
CASES: dict[str, tuple[str, Trait, str]] = {
    "OpenRC": ("service docker restart", "openrc", "rc-service docker restart"),
    "Unraid": ("service docker start", "slackware", "/etc/rc.d/rc.docker start"),
    "DSM, which has systemd": (START, "synology", "synopkg start ContainerManager"),
    "DSM, after a repair": (
        "systemctl reset-failed docker || true\nsystemctl restart docker",
        "synology",
        "synopkg restart ContainerManager",
    ),
    "QTS": ("service docker stop", "qnap", "/etc/init.d/container-station.sh stop"),
    "the snap": (
        START,
        "snap",
        "systemctl reset-failed snap.docker.dockerd; systemctl start snap.docker.dockerd",
    ),
    "the snap has no socket unit": (
        "systemctl stop docker.socket docker.service && mkdir /srv/copy",
        "snap",
        "systemctl stop snap.docker.dockerd && mkdir /srv/copy",
    ),
    "the journal of the snap": (
        "journalctl -u docker -b -n 60 --no-pager",
        "snap",
        "journalctl -u snap.docker.dockerd -b -n 60 --no-pager",
    ),
    "another unit of that name": (
        "systemctl start docker-volume-vault",
        "snap",
        "systemctl start docker-volume-vault",
    ),
    "a user's own, as other hosts restart theirs": (
        "service docker restart",
        "rootless",
        "systemctl --user restart docker",
    ),
    "a user's own": (
        "systemctl daemon-reload; systemctl restart docker",
        "rootless",
        "systemctl --user daemon-reload; systemctl --user restart docker",
    ),
}


@pytest.mark.parametrize(("text", "trait", "expected"), CASES.values(), ids=CASES)
def test_commands_of_a_kind_of_host(text: str, trait: Trait, expected: str) -> None:
    assert for_host(text, {trait, "systemd"}) == expected


@pytest.mark.parametrize("trait", ["openrc", "slackware", "synology", "qnap", "snap", "rootless"])
def test_other_commands_stay(trait: Trait) -> None:
    text = "systemctl restart systemd-resolved; docker start web"
    assert for_host(text, {trait}) == text


@pytest.mark.parametrize(
    "text",
    [
        "rc-service docker restart",
        "synopkg restart ContainerManager",
        "systemctl reset-failed snap.docker.dockerd; systemctl restart snap.docker.dockerd",
        "systemctl --user reset-failed docker; systemctl --user restart docker",
        "systemctl --user restart docker",
    ],
)
def test_a_report_of_another_kind_of_host_has_commands_of_the_page(text: str) -> None:
    assert has_fix("daemon.not-running", text)
