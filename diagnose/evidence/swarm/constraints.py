"""The constraints of a service that a node does not meet. Pure."""

from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.swarm.swarm import Node
from diagnose.lazy_pattern import LazyPattern

_PARTS = LazyPattern(r"(?P<key>[\w./-]+) *(?P<relation>==|!=) *(?P<value>\S.*)")
"""`node.hostname == moby`: an attribute, whether it should be so, and the value."""
_LABEL = "node.labels."
_UNSEEN = ("engine.labels.", "node.platform.", "node.ip")
"""Attributes that the list of nodes here does not hold."""


class UnmetConstraint(msgspec.Struct, frozen=True):
    """One constraint that keeps the tasks of a service from a node."""

    text: str
    """As the service has it, such as `node.hostname == moby`."""
    why: str
    """What the node has in its place."""
    meant: str = ""
    """The constraint that was probably meant, such as `node.labels.rack==large`."""


def unmet_constraints(constraints: Sequence[str], node: Node) -> list[UnmetConstraint]:
    """The constraints that this node does not meet, of those that can be compared."""
    return [unmet for text in constraints for unmet in _unmet_constraint(text, node)]


def _unmet_constraint(text: str, node: Node) -> Iterator[UnmetConstraint]:
    """The constraint where the node does not meet it; nothing where it does, or nobody can say."""
    parts = _PARTS.fullmatch(text.strip())
    if parts is None or parts["key"].startswith(_UNSEEN):
        return
    key = parts["key"]
    wanted_value = parts["value"].strip()
    attributes = _attributes(node)
    labels = node.spec.labels or {}
    if key.lower() not in attributes and not key.startswith(_LABEL):
        is_label = labels.get(key) == wanted_value and parts["relation"] == "=="
        meant_constraint = f"{_LABEL}{key}=={wanted_value}" if is_label else ""
        yield UnmetConstraint(text, f'a node has no attribute "{key}"', meant_constraint)
        return
    value = attributes.get(key.lower(), labels.get(key.removeprefix(_LABEL), ""))
    if (value.lower() == wanted_value.lower()) is not (parts["relation"] == "=="):
        shown = f'"{value}"' if value else "no such label"
        yield UnmetConstraint(text, f'node "{node.name}" has {shown}')


def _attributes(node: Node) -> dict[str, str]:
    """The attributes of a node that a constraint may ask for, beside its labels."""
    return {
        "node.id": node.id,
        "node.hostname": node.description.hostname,
        "node.role": "manager" if node.manager_status is not None else "worker",
    }
