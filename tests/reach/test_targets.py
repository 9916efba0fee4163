"""`--on`: which hosts a text names, and which options do not go together."""

from __future__ import annotations

import pytest

from diagnose.reach.target import Target, TargetError, parse
from tests.reach.elsewhere import Elsewhere

pytestmark = pytest.mark.xdist_group("on")  # each looks for what the others might leave
TARGETS = {
    "ssh://web1": Target("web1"),
    "web1": Target("web1"),
    "ssh://root@web1:2222": Target("web1", "root", 2222),
    "ssh://root@[fe80::1]:22": Target("fe80::1", "root", 22),
    "ssh://10.0.0.7/": Target("10.0.0.7"),
}


@pytest.mark.parametrize(("text", "target"), TARGETS.items(), ids=TARGETS)
def test_a_target_is_read_and_written_back(text: str, target: Target) -> None:
    assert parse(text) == target
    assert parse(str(target)) == target


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ssh://",
        "-oProxyCommand=x",
        "ssh://-l@web1",
        "ssh://a b",
        "ssh://web1:70000",
        "tcp://web1",
        "web1:22/x",
    ],
)
def test_text_that_names_no_host(text: str) -> None:
    with pytest.raises(TargetError):
        parse(text)


USAGE = {
    "one file for two hosts": (
        ["all", "--on", "a", "--on", "b", "-o", "r.json"],
        "put {host} into its name",
    ),
    "two bundles on stdout": (
        ["bundle", "--on", "a", "--on", "b", "-o", "-"],
        "several bundles do not go to stdout",
    ),
    "a recording": (["all", "--on", "a", "--from", "demo"], "--from does not go with --on"),
    "a map": (["bundle", "--on", "a", "--anonymize", "--map", "m"], "--map does not go with --on"),
    "a password without sudo": (
        ["all", "--on", "a", "--sudo-password", "f"],
        "--sudo-password goes with --sudo only",
    ),
    "sudo without a host": (["all", "--sudo"], "goes with --on only"),
    "a configuration that cannot be read": (
        ["all", "--on", "a", "--config", "/none.toml"],
        "/none.toml",
    ),
}


@pytest.mark.parametrize(("args", "reason"), USAGE.values(), ids=USAGE)
def test_usage_error(elsewhere: Elsewhere, args: list[str], reason: str) -> None:
    code, out, err = elsewhere.run(*args)
    assert (code, out) == (3, "")
    assert reason in err
