"""What is said of a host name that a failed program calls and that no container has."""

from __future__ import annotations

import pytest

from checks.container.strays import stray_evidence
from tests.inspected import container, of

SERVICE = {"Config": {"Labels": {"com.docker.compose.service": "orders"}}}
NONE = "no container on this host has that name"
NAMES = {
    "the name of a container": ("web1", f'{NONE}; a similar name is "web"'),
    "the name of a service": (
        "order",
        f'{NONE}; a similar name is "orders" of container "shop-app-1"',
    ),
    "no such name": ("mailer", NONE),
}


@pytest.mark.parametrize(("name", "expected"), NAMES.values(), ids=NAMES)
def test_a_similar_name_is_said_with_its_container(name: str, expected: str) -> None:
    containers = of(container("web"), container("shop-app-1", **SERVICE))
    assert stray_evidence({name: "its log"}, containers) == {f'"{name}", in its log': expected}
