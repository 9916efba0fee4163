"""YAML as compose reads it: go-yaml is a port of libyaml, which is what reads it here. Pure.

Of 12 KB libyaml makes values in 4 ms, PyYAML's own reader in 53 ms.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from yaml import CSafeLoader, Node, SafeLoader


_MOST_PARTS = 300_000
"""Parts of a document; what an anchor names counts wherever it is named."""
_DEEPEST = 200
"""Lists and mappings in each other, through anchors too."""
_OF_TAGS = (AttributeError, LookupError, ArithmeticError)
"""What PyYAML raises where a value does not fit its tag: `!!timestamp x`, `!!bool x`."""


class OversizedError(ValueError):
    """A document that is more than anybody reads, once its anchors are written out.

    Ten lines can name lists of lists that hold 400 million words together: whoever makes a text of
    them fills the memory of the host.
    """


def read_values(text: str) -> Any:
    """A document as Python's own types.

    Raises ValueError where it is not YAML, or an OversizedError.
    """
    import yaml  # 20 ms, where a file is read

    loader = _loader()(text)
    try:
        root = loader.get_single_node()
        _refuse_oversized(root)
        return None if root is None else loader.construct_document(root)
    except (yaml.YAMLError, RecursionError, *_OF_TAGS) as error:
        raise ValueError(str(error)) from error
    finally:
        loader.dispose()


def read_nodes(text: str) -> Node | None:
    """A document as nodes, which know how each value is written; None for an empty one.

    Raises ValueError where it is not YAML, or an OversizedError.
    """
    import yaml

    try:
        root = yaml.compose(text, Loader=_loader())
        _refuse_oversized(root)
    except (yaml.YAMLError, RecursionError) as error:
        raise ValueError(str(error)) from error
    return root


class _Extent(NamedTuple):
    """How much a node is with all that is in it."""

    parts: int
    depth: int


def _refuse_oversized(root: Node | None) -> None:
    """Raises OversizedError, and YAMLError where an anchor holds itself.

    Each node is visited once, however often it is named.
    """
    from yaml import MarkedYAMLError

    extents: dict[int, _Extent] = {}
    entered: set[int] = set()
    waiting = [(root, False)] if root is not None else []
    while waiting:
        node, is_left = waiting.pop()
        if is_left:
            extents[id(node)] = _extent(node, extents)
        elif id(node) not in extents:
            if id(node) in entered:
                problem = "an anchor holds itself"
                raise MarkedYAMLError(problem=problem, problem_mark=node.start_mark)
            entered.add(id(node))
            waiting.append((node, True))
            waiting += [(child, False) for child in _children(node) if id(child) not in extents]


def _extent(node: Node, extents: Mapping[int, _Extent]) -> _Extent:
    """The extent of a node whose children have theirs. Raises OversizedError."""
    inner = [extents[id(child)] for child in _children(node)]
    parts = 1 + sum(extent.parts for extent in inner)
    depth = 1 + max((extent.depth for extent in inner), default=0)
    if parts > _MOST_PARTS:
        raise OversizedError("its anchors stand for too many parts")
    if depth > _DEEPEST:
        raise OversizedError("it is nested too deep")
    return _Extent(parts, depth)


def _children(node: Node) -> list[Node]:
    """The items of a list, or the keys and values of a mapping."""
    if isinstance(node.value, str):
        return []
    return [
        child for entry in node.value for child in (entry if isinstance(entry, tuple) else (entry,))
    ]


def _loader() -> type[CSafeLoader | SafeLoader]:
    """PyYAML is also built without libyaml."""
    import yaml

    return getattr(yaml, "CSafeLoader", yaml.SafeLoader)
