"""The nodes of YAML, in which compose files are read: they know how each value is written. Pure."""

from collections.abc import Iterator

from yaml import MappingNode, Node, ScalarNode, SequenceNode

MERGE = "tag:yaml.org,2002:merge"
LONGEST = 1024
"""Characters of one value."""


def entries(
    node: Node | None, entries_by_id: dict[int, dict[str, Node]] | None = None
) -> dict[str, Node]:
    """The values of a mapping by their keys, those of its merge keys (`<<`) below its own.

    entries_by_id: what was found of mappings that several others merge.
    """
    entries_by_id = {} if entries_by_id is None else entries_by_id
    if id(node) in entries_by_id:
        return entries_by_id[id(node)]
    merged: dict[str, Node] = {}
    own_entries: dict[str, Node] = {}
    for key, value in pairs(node):
        if key.tag == MERGE:
            for part in reversed(items(value) or [value]):
                merged |= entries(part, entries_by_id)
        else:
            own_entries[plain(key)] = value
    entries_by_id[id(node)] = merged | own_entries
    return entries_by_id[id(node)]


def pairs(node: Node | None) -> list[tuple[Node, Node]]:
    """The keys of a mapping with their values; empty for anything else."""
    return node.value if isinstance(node, MappingNode) else []


def items(node: Node | None) -> list[Node]:
    """The items of a list; empty for anything else."""
    return node.value if isinstance(node, SequenceNode) else []


def plain(node: Node | None) -> str:
    """The text of a scalar as it is written; "" for anything else."""
    return str(node.value)[:LONGEST] if isinstance(node, ScalarNode) else ""


def line_of(node: Node) -> int:
    """The line on which it begins, from 1 on."""
    return int(node.start_mark.line) + 1


def has_parts(node: Node | None) -> bool:
    """Whether a list or a mapping holds anything."""
    return bool(items(node) or pairs(node))


def first_key(node: Node) -> str:
    """The first key of a mapping; "" for none."""
    return next((plain(key) for key, _ in pairs(node)), "")


def scalars(node: Node | None) -> Iterator[Node]:
    """A scalar, or those of a list or a mapping."""
    if isinstance(node, ScalarNode):
        yield node
    yield from (child for child in items(node) if isinstance(child, ScalarNode))
    yield from (value for _, value in pairs(node) if isinstance(value, ScalarNode))
