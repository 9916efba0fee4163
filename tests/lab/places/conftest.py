"""Fixtures that several of these tests use."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.lab.box import Box
from tests.lab.runner import BASE_CONFIG
from tests.reach import built


@pytest.fixture(scope="module")
def box() -> Iterator[Box]:
    """A host with a container that runs, and one that cannot start."""
    with Box("distro") as box:
        box.start_engine(config=BASE_CONFIG)
        box.docker("run", "-d", "--name=web", "shop:1.4", "sleep", "1000")
        box.docker("run", "-d", "--name=fails", "shop:1.4", "/none", check=False)
        yield box


@pytest.fixture(scope="module")
def folder(box: Box) -> str:
    """The launcher, in a folder of the box that outlives the places."""
    box.sh(f"mkdir -p /opt/there && tar xzf {built.archive()} -C /opt/there", timeout=120)
    return "/opt/there/diagnose/diagnose"


@pytest.fixture
def cell(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Keeps what was seen in a place for the matrix at the end of the run."""
    return lambda place, way, text: request.node.user_properties.append(
        ("place", (place, way, text))
    )
