"""Dumps of nftables of a shape that no kernel writes: diagnose/firewall/nft/chains.py."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from diagnose.firewall import nft

CHAIN = {
    "family": "inet",
    "table": "filter",
    "name": "forward",
    "hook": {"number": 2, "priority": 0},
    "policy": 0,
    "type": "filter",
}
STRANGE: dict[str, dict[str, Any]] = {
    "a name": {"name": True},
    "a table": {"table": 7},
    "a hook": {"hook": {"number": "forward"}},
    "a priority": {"hook": {"number": 2, "priority": "first"}},
    "a device": {"hook": {"number": 0, "devices": [1]}},
    "a type": {"type": ["nat"]},
}


def _dump(chain: dict[str, Any]) -> dict[str, Any]:
    tables = [{"family": "inet", "name": "filter"}]
    return {"byteorder": "little", "tables": tables, "chains": [chain], "rules": [], "sets": []}


def test_a_base_chain() -> None:
    (chain,) = nft.chains(_dump(CHAIN))
    assert (chain.hook, chain.policy, chain.priority) == ("forward", "drop", 0)


@pytest.mark.parametrize("change", STRANGE.values(), ids=STRANGE)
def test_a_chain_of_another_shape_is_not_read(change: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        nft.chains(_dump({**CHAIN, **change}))
