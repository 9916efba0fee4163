"""The smallest repair: a file with some keys changed, and what a recorded answer becomes."""

from __future__ import annotations

import json
import random
import time

import pytest

from diagnose import registry
from diagnose.model import Failed
from diagnose.questions.files import ReadFile
from diagnose.questions.machine import ReadSysctls
from diagnose.questions.network import ListRoutes, LookUpRoutes, Route
from diagnose.questions.run import Options
from diagnose.questions.service import ValidateConfig
from diagnose.repair import plan
from diagnose.repair.differences import FileChange, RouteGone, Setting, secret_in
from diagnose.repair.json_text import with_keys
from tests.recorded import FIXTURES

TYPED = '{\n    "debug": true,\n    "hosts": ["fd://", "tcp://0.0.0.0:2375"],\n    "mtu": 1400\n}\n'
CHANGED = {
    "a key that is there": (TYPED, {"mtu": 1450}, TYPED.replace("1400", "1450")),
    "a new key": (
        TYPED,
        {"dns": ["192.0.2.53"]},
        TYPED.replace("1400\n", '1400,\n    "dns": ["192.0.2.53"]\n'),
    ),
    "the first key goes": (TYPED, {"debug": None}, TYPED.replace('"debug": true,\n    ', "")),
    "a key between goes": (
        TYPED,
        {"hosts": None},
        TYPED.replace('"hosts": ["fd://", "tcp://0.0.0.0:2375"],\n    ', ""),
    ),
    "the last key goes": (TYPED, {"mtu": None}, TYPED.replace(',\n    "mtu": 1400', "")),
    "a key that is not there goes": (TYPED, {"bip": None}, TYPED),
    "no keys yet": ("{}", {"mtu": 1}, '{\n  "mtu": 1\n}'),
    "one line": ('{"debug": true}', {"mtu": 1}, '{"debug": true, "mtu": 1}'),
    "the only key goes": ('{"debug": true}', {"debug": None}, "{}"),
    "a key that stands twice": ('{"mtu": 1, "mtu": 2}', {"mtu": 3}, '{"mtu": 1, "mtu": 3}'),
    "both of a key that stands twice go": ('{"mtu": 1, "x": [1], "mtu": 2}', {"mtu": None}, '{"x": [1]}'),
    "braces in a text": ('{"a": "}{,", "b": {"c": "\\""}}', {"b": None}, '{"a": "}{,"}'),
}  # fmt: skip


@pytest.mark.parametrize(("text", "changes", "wanted"), CHANGED.values(), ids=CHANGED)
def test_only_these_keys_change(text, changes, wanted):
    assert with_keys(text, changes) == wanted
    json.loads(wanted)


def _any_object(chance: random.Random) -> dict[str, object]:
    keys = chance.sample(
        ["a", "b c", 'q"', "{", "}", ",", "\u00fc", "log-opts"], chance.randrange(6)
    )
    values = [1, "x", "}{,:", None, True, [], {}, [1, {"a": "]"}], {"k": {"l": "\\"}}]
    return {key: chance.choice(values) for key in keys}


def test_any_object_changes_as_json_would():
    """Whatever spaces stand between: the text says what the changed object says."""
    chance = random.Random(20)
    for _ in range(2000):
        before = _any_object(chance)
        text = json.dumps(before, indent=chance.choice([None, 1, 4, "\t"]))
        changes = _any_object(chance)
        wanted = {**before, **{key: value for key, value in changes.items() if value is not None}}
        wanted = {key: value for key, value in wanted.items() if changes.get(key, 1) is not None}
        assert json.loads(with_keys(f" {text}\n", changes)) == wanted, (text, changes)


def test_what_is_no_object_is_refused():
    with pytest.raises(ValueError, match="no JSON object"):
        with_keys("[]", {"mtu": 1})


def test_forwarding_for_all_is_forwarding_for_each():
    change = Setting("net.ipv4.ip_forward", "0", "1")
    before = {
        "net.ipv4.ip_forward": "0",
        "net.ipv4.conf.eth0.forwarding": "0",
        "net/ipv4/conf/eth0.7/forwarding": "0",
        "net.ipv4.conf.eth0.rp_filter": "0",
    }
    after = change.edited(ReadSysctls(list(before)), before)
    assert after == {**dict.fromkeys(before, "1"), "net.ipv4.conf.eth0.rp_filter": "0"}


def test_a_changed_file_is_read_as_changed_and_judged_by_nobody_yet():
    change = FileChange("/etc/docker/daemon.json", "{", "{}")
    assert change.edited(ReadFile("/etc/docker/daemon.json"), {"text": "{", "size": 1}) == {
        "text": "{}",
        "size": 2,
    }
    assert change.edited(ReadFile("/etc/hosts"), {"text": "x"}) == {"text": "x"}
    asked = ValidateConfig(dockerd="/usr/bin/dockerd", config="/etc/docker/daemon.json")
    assert isinstance(change.edited(asked, {"ok": False}), Failed)


ROUTES = {
    "blackhole": (Route("172.18.5.9", 32, type="blackhole"), "", "blackhole 172.18.5.9/32"),
    "default": (Route("0.0.0.0", 0, gateway="10.0.0.1"), "veth1", "default via 10.0.0.1 dev veth1"),
    "metric": (Route("10.0.0.0", 8, metric=50), "tun0", "10.0.0.0/8 dev tun0 metric 50"),
}


@pytest.mark.parametrize(("route", "device", "words"), ROUTES.values(), ids=ROUTES)
def test_a_route_goes_and_can_come_back(route: Route, device: str, words: str):
    change = RouteGone(route, device)
    assert list(change.commands()) == [f"ip route del {words}"]
    assert list(change.undo()) == [f"ip route add {words}"]
    other = {"dst": "192.0.2.0", "prefix": 24}
    own = {"dst": route.dst, "prefix": route.prefix, "type": route.type, "gateway": route.gateway,
           "metric": route.metric}  # fmt: skip
    assert change.edited(ListRoutes(), [own, other]) == [other]
    assert isinstance(change.edited(LookUpRoutes([]), []), Failed)


KEYS = {
    "a reload will do": (
        '{"live-restore": true}',
        '"live-restore": true',
        "kill -HUP $(pidof dockerd)",
    ),
    "an image store needs a restart": (
        '{"features": {"containerd-snapshotter": false}}',
        '"features": {"containerd-snapshotter": false}',
        "service docker restart",
    ),
    "what becomes null is left out": (
        '{"features": {"cdi": true, "buildkit": null}}',
        '"features": {"cdi": true}',
        "service docker restart",
    ),
}


@pytest.mark.parametrize(("given", "written", "then"), KEYS.values(), ids=KEYS)
def test_keys_of_the_configuration_file(given: str, written: str, then: str):
    options = Options(source=FIXTURES / "demo", budget_s=60)
    checks = registry.load(["daemon"])
    text = plan.of_keys(given, checks, options, began=time.monotonic())
    assert written in text
    assert text.endswith(f"{then}\n")


def test_a_secret_is_never_written_as_its_token():
    token = "<redacted:password:0a1b2c>"
    change = FileChange("/etc/docker/daemon.json", "{}", f'{{"http-proxy": "http://a:{token}@p"}}')
    assert secret_in([change]) == change.path
    assert secret_in([Setting("a", "0", "1")]) == ""
