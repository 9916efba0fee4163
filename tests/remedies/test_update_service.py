"""The script of `diagnose recreate` for a task of swarm: its service is updated."""

from __future__ import annotations

import shlex

import pytest

from diagnose.recreate.change import ContainerChange
from diagnose.recreate.container import script
from diagnose.recreate.options import NoRecreateError

TASK = {
    "Id": "0" * 64,
    "Name": "/shop_web.1.x",
    "Config": {"Labels": {"com.docker.swarm.service.name": "shop_web"}},
    "HostConfig": {},
}
CHANGES: dict[str, tuple[ContainerChange, list[str]]] = {
    "a variable": (ContainerChange(("--env=A=b c",)), ["--env-add=A=b c"]),
    "limits": (
        ContainerChange(("--memory=96m", "--pids-limit=50")),
        ["--limit-memory=96m", "--limit-pids=50"],
    ),
    "an image": (ContainerChange(image="shop:1.5"), ["--image=shop:1.5"]),
    "a command": (ContainerChange(command=("sh", "-c", "a b")), ["--args=sh -c 'a b'"]),
    "what goes": (
        ContainerChange(unset=frozenset({"OLD"}), unmounted=frozenset({"/data"})),
        ["--env-rm=OLD", "--mount-rm=/data"],
    ),
    "nothing": (ContainerChange(), ["--force"]),
}


@pytest.mark.parametrize(("change", "words"), CHANGES.values(), ids=CHANGES)
def test_the_service_gets_the_change(change: ContainerChange, words: list[str]):
    command = script(TASK, None, change).splitlines()[1]
    assert shlex.split(command) == ["docker", "service", "update", "--detach", *words, "shop_web"]


@pytest.mark.parametrize(
    "change",
    [
        ContainerChange(("--security-opt=seccomp=unconfined",)),
        ContainerChange(without=frozenset({"dns"})),
    ],
    ids=["an option that services lack", "an option that goes"],
)
def test_what_a_service_cannot_be_given_is_refused(change: ContainerChange):
    with pytest.raises(NoRecreateError, match="shop_web"):
        script(TASK, None, change)


def test_the_stack_is_named():
    labels = {**TASK["Config"]["Labels"], "com.docker.stack.namespace": "shop"}
    text = script({**TASK, "Config": {"Labels": labels}}, None, ContainerChange(image="a"))
    assert "Stack shop made it" in shlex.split(text.splitlines()[-1])[1]
