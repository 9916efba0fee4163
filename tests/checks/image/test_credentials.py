"""The checks in checks/image/credentials.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.client import (
    BrokenHelper,
    ClientSettings,
    ClosedSettings,
    UnreadStore,
)
from diagnose.evidence.engine.daemon import Daemon
from diagnose.evidence.engine.info import Ping
from diagnose.model import Unavailable
from tests.checks.daemon.evidence import ALIVE, daemon
from tests.judging import judge, rows

FILE = "/root/.docker/config.json"
FORBIDDEN = daemon(silence=Unavailable("forbidden", "not allowed"))
FOUND = [("warning", "host")]
OLD, NEW = Ping("1.41", "20.10.24", ""), Ping("1.51", "28.5.2", "")
SETTINGS: dict[str, tuple[ClientSettings, list[tuple[str, str]], bool]] = {
    "a store": (ClientSettings(FILE, store="desktop", absent=("desktop",)), FOUND, True),
    "the helper of one registry": (
        ClientSettings(FILE, helpers={"eu.gcr.io": "gcloud"}, absent=("gcloud",)),
        FOUND,
        True,
    ),
    "a helper that nobody may execute": (
        ClientSettings(
            FILE,
            store="desktop",
            absent=("desktop",),
            not_executable={"desktop": "/usr/bin/docker-credential-desktop"},
        ),
        FOUND,
        False,
    ),
    "one of two helpers": (
        ClientSettings(FILE, helpers={"a.io": "gcloud", "b.io": "ecr"}, absent=("gcloud",)),
        FOUND,
        True,
    ),
    "a name that sed would take for a pattern": (
        ClientSettings(FILE, store="a.b/c", absent=("a.b/c",)),
        FOUND,
        False,
    ),
    "an installed store": (ClientSettings(FILE, store="pass"), [], False),
    "the helper's own program": (
        ClientSettings(FILE, store="pass", lacking=(("pass", "pass"),)),
        FOUND,
        True,
    ),
    "a helper that the kernel refuses": (
        ClientSettings(
            FILE,
            store="desktop.exe",
            broken=(
                BrokenHelper("desktop.exe", "/usr/bin/docker-credential-desktop.exe", "windows"),
            ),
        ),
        FOUND,
        True,
    ),
    "a password store that was never made": (
        ClientSettings(FILE, store="pass", unread_store=UnreadStore("/root/.password-store")),
        FOUND,
        True,
    ),
    "a login for a key that is gone": (
        ClientSettings(
            FILE,
            store="pass",
            unread_store=UnreadStore("/root/.password-store", "ghcr.io", "A1B2C3D4E5F60718"),
        ),
        FOUND,
        False,
    ),
    "of the user who called sudo": (
        ClientSettings(
            FILE,
            store="keeper",
            absent=("keeper",),
            of_caller=ClientSettings("/home/anna/.docker/config.json", "anna", absent=("keeper",)),
        ),
        [*FOUND, *FOUND],
        True,
    ),
    "no configuration": (ClientSettings(), [], False),
    "a helper of desktops that is configured": (
        ClientSettings(FILE, store="secretservice", without_bus="/usr/bin/docker-credential-x"),
        FOUND,
        True,
    ),
    "a helper of desktops that nothing names": (
        ClientSettings(without_bus="/usr/bin/docker-credential-x", by_default=True),
        FOUND,
        False,
    ),
}


@pytest.mark.parametrize(("client", "expected", "is_cured"), SETTINGS.values(), ids=SETTINGS)
def test_a_helper_that_is_not_installed(
    client: ClientSettings, expected: list[tuple[str, str]], is_cured: bool
) -> None:
    result = judge("image.credential-helper-missing", client=client, ping=NEW)
    assert rows(result) == expected
    assert any("name" in finding.variables for finding in result.findings) == is_cured


@pytest.mark.parametrize(
    ("by_default", "ping", "severity"),
    [
        (True, OLD, "advice"),
        (True, NEW, "warning"),
        (True, None, "advice"),
        (False, OLD, "warning"),
    ],
    ids=["nobody logs in", "engine 28", "an engine that is down", "a helper that is configured"],
)
def test_a_helper_that_nobody_has_asked_for(
    by_default: bool, ping: Ping | None, severity: str
) -> None:
    client = ClientSettings(FILE, without_bus="/usr/bin/docker-credential-x", by_default=by_default)
    result = judge("image.credential-helper-missing", client=client, ping=ping)
    assert rows(result) == [(severity, "host")]


@pytest.mark.parametrize(("malformed", "expected"), [("it is empty", FOUND), ("", [])])
def test_a_configuration_that_is_no_json(malformed: str, expected: list[tuple[str, str]]) -> None:
    client = ClientSettings(FILE, "root", malformed)
    assert rows(judge("image.client-config-unreadable", client=client)) == expected


@pytest.mark.parametrize(
    ("engine", "expected"),
    [(ALIVE, FOUND), (FORBIDDEN, []), (None, FOUND)],
    ids=["an engine that answers", "a user who runs docker with sudo", "unknown"],
)
def test_a_configuration_of_another_user(
    engine: Daemon | None, expected: list[tuple[str, str]]
) -> None:
    closed = ClosedSettings("deploy", "/home/deploy/.docker/config.json", "root")
    client = ClientSettings(user="deploy", closed=closed)
    result = judge("image.client-config-unreadable", client=client, daemon=engine)
    assert rows(result) == expected
