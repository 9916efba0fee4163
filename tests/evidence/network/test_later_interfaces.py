"""The second list of the host's interfaces."""

from __future__ import annotations

import pytest

from diagnose.evidence.network.interfaces import Interface
from diagnose.evidence.network.wiring.later_interfaces import LaterInterfaces, later_interfaces
from tests.checks.network.evidence import (
    BRIDGE,
    INNER,
    VETH,
    container,
    links,
    namespaces_of,
    with_fields,
)
from tests.hosts import Made


@pytest.mark.parametrize(
    ("first", "is_asked"),
    [
        pytest.param((BRIDGE, VETH), False, id="attached and up"),
        pytest.param((BRIDGE,), True, id="no host end"),
        pytest.param((BRIDGE, with_fields(VETH, master=None)), True, id="not attached"),
        pytest.param((BRIDGE, with_fields(VETH, up=False)), True, id="down"),
    ],
)
def test_the_host_is_asked_again_only_where_a_host_end_is_wrong(
    first: tuple[Interface, ...], is_asked: bool
) -> None:
    row = {"index": 9, "name": "veth1", "operstate": "up", "up": True}
    made = Made({"net.links.later": [row]})
    later = later_interfaces(made, namespaces_of(container("a"), link=INNER), links(*first))
    assert isinstance(later, LaterInterfaces)
    assert [link.name for link in later] == (["veth1"] if is_asked else [])
