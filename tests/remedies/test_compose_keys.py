"""The lines of a compose file that say what a change of `diagnose recreate` does."""

from __future__ import annotations

import pytest
import yaml

from diagnose.recreate.compose_keys import lines_of, lines_of_network

SERVICE: dict[str, tuple[list[str], dict[str, object]]] = {
    "nothing": ([], {}),
    "a variable": (["--env=URL=a: b #c"], {"environment": ["URL=a: b #c"]}),
    "one whose value is typed": (["--env=TOKEN"], {"environment": ["TOKEN=..."]}),
    "two entries": (["--tmpfs=/run", "--tmpfs=/tmp"], {"tmpfs": ["/run", "/tmp"]}),
    "the last value counts": (["--user=1", "--user=2"], {"user": "2"}),
    "a flag": (["--init"], {"init": True}),
    "a flag that is taken away": (["--privileged=false"], {"privileged": False}),
    "a limit": (["--ulimit=nofile=5:9"], {"ulimits": {"nofile": {"soft": 5, "hard": 9}}}),
    "the host's network": (["--network=host"], {"network_mode": "host"}),
    "a network": (["--network=back"], {"networks": ["back"]}),
    "what compose has no key for": (["--publish-all"], {}),
}


@pytest.mark.parametrize(("options", "expected"), SERVICE.values(), ids=SERVICE)
def test_options_of_a_container(options: list[str], expected: dict[str, object]):
    assert (yaml.safe_load("\n".join(lines_of(options))) or {}) == expected


def test_a_command_stays_words():
    lines = lines_of([], command=["sh", "-c", "echo $HOME"])
    assert yaml.safe_load(lines[0]) == {"command": ["sh", "-c", "echo $$HOME"]}


NETWORK: dict[str, tuple[list[str], dict[str, object]]] = {
    "IPv6": (
        ["--ipv6", "--subnet=fd00:9::/64"],
        {"enable_ipv6": True, "ipam": {"config": [{"subnet": "fd00:9::/64"}]}},
    ),
    "an option of its driver": (["--opt=parent=br0"], {"driver_opts": {"parent": "br0"}}),
    "nothing": ([], {}),
}


@pytest.mark.parametrize(("options", "expected"), NETWORK.values(), ids=NETWORK)
def test_options_of_a_network(options: list[str], expected: dict[str, object]):
    assert (yaml.safe_load("\n".join(lines_of_network(options))) or {}) == expected
