"""Which capabilities a program's file demands, and which of them its container lacks."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from diagnose.evidence.containers.programs.file_capabilities import (
    demanded_capabilities,
    lacking_capabilities,
)
from tests.inspected import container

NET_BIND, IPC_LOCK, BPF = 1 << 10, 1 << 14, 1 << 39 - 32


def attribute(magic: int, *words: int) -> str:
    return struct.pack(f"<{len(words) + 1}I", magic, *words).hex()


DEMANDS = {
    "two, as they are needed": (attribute(0x02000001, NET_BIND | IPC_LOCK, 0, 0, 0), 2),
    "one of the high ones": (attribute(0x02000001, 0, 0, BPF, 0), 1),
    "with a namespace's root": (attribute(0x03000001, IPC_LOCK, 0, 0, 0, 1000), 1),
    "the first form": (attribute(0x01000001, IPC_LOCK, 0), 1),
    "permitted, not in effect": (attribute(0x02000000, IPC_LOCK, 0, 0, 0), 0),
    "cut off": ("0100", 0),
    "nothing": ("", 0),
}


@pytest.mark.parametrize(("raw", "count"), DEMANDS.values(), ids=DEMANDS)
def test_what_a_file_demands(raw: str, count: int) -> None:
    assert len(demanded_capabilities(raw)) == count


CONFIGS: list[tuple[dict[str, Any], tuple[str, ...]]] = [
    ({}, ("IPC_LOCK",)),
    ({"CapAdd": ["CAP_IPC_LOCK"]}, ()),
    ({"CapDrop": ["ALL"]}, ("NET_BIND_SERVICE", "IPC_LOCK")),
    ({"CapDrop": ["ALL"], "CapAdd": ["NET_BIND_SERVICE"]}, ("IPC_LOCK",)),
    ({"CapAdd": ["ALL"], "CapDrop": ["NET_BIND_SERVICE"]}, ("NET_BIND_SERVICE",)),
    ({"Privileged": True}, ()),
]


@pytest.mark.parametrize(("config", "expected"), CONFIGS)
def test_what_a_container_lacks(config: dict[str, Any], expected: tuple[str, ...]) -> None:
    demands = ("NET_BIND_SERVICE", "IPC_LOCK")
    assert (
        lacking_capabilities(demands, container("vault", HostConfig=config).host_config) == expected
    )
