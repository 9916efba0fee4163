"""The check container.label-unset, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.peers.idle_readers import idle_readers
from tests.inspected import container, of
from tests.judging import judge

WATCHTOWER = "com.centurylinklabs.watchtower.enable"
JOB = {"ofelia.job-exec.dump.command": "pg_dump"}
CASES: dict[str, tuple[dict[str, Any], str]] = {
    "watchtower by its variable": (
        {"image": "containrrr/watchtower", "env": ["WATCHTOWER_LABEL_ENABLE=true"]},
        WATCHTOWER,
    ),
    "watchtower by its command": (
        {"image": "containrrr/watchtower", "words": ["--label-enable", "--cleanup"]},
        WATCHTOWER,
    ),
    "watchtower for all": ({"image": "containrrr/watchtower"}, ""),
    "with the label": (
        {
            "image": "containrrr/watchtower",
            "words": ["--label-enable"],
            "labels": {WATCHTOWER: "true"},
        },
        "",
    ),
    "with a different value": (
        {
            "image": "containrrr/watchtower",
            "words": ["--label-enable"],
            "labels": {WATCHTOWER: "false"},
        },
        WATCHTOWER,
    ),
    "autoheal": ({"image": "willfarrell/autoheal:1.2"}, "autoheal"),
    "autoheal for all": (
        {"image": "willfarrell/autoheal", "env": ["AUTOHEAL_CONTAINER_LABEL=all"]},
        "",
    ),
    "autoheal with another label": (
        {"image": "willfarrell/autoheal", "env": ["AUTOHEAL_CONTAINER_LABEL=heal"]},
        "heal",
    ),
    "another engine": (
        {"image": "willfarrell/autoheal", "env": ["DOCKER_SOCK=tcp://10.0.0.7:2375"]},
        "",
    ),
    "Ofelia without its label": (
        {"image": "mcuadros/ofelia", "words": ["daemon", "--docker"], "labels": JOB},
        "ofelia.enabled",
    ),
    "Ofelia with its label": (
        {
            "image": "mcuadros/ofelia",
            "words": ["daemon", "--docker"],
            "labels": {**JOB, "ofelia.enabled": "true"},
        },
        "",
    ),
    "Ofelia with a file": ({"image": "mcuadros/ofelia", "words": ["daemon", "--docker"]}, ""),
    "another program": ({"image": "shop:1"}, ""),
}


@pytest.mark.parametrize(("case", "label"), CASES.values(), ids=CASES)
def test_programs(case: dict[str, Any], label: str) -> None:
    reader = container(
        "reader",
        Config={"Image": case["image"], "Env": case.get("env", []), "Cmd": case.get("words", [])},
    )
    shop = container("shop", Config={"Labels": case.get("labels", {})})
    found = idle_readers(of(reader, shop))
    result = judge("container.label-unset", idle_readers=found)
    assert [finding.variables["label"] for finding in result.findings] == ([label] if label else [])


def test_a_host_with_no_other_container() -> None:
    assert not idle_readers(of(container("heal", Config={"Image": "willfarrell/autoheal"}))).items
