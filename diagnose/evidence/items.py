"""The two forms of most evidence: a row of values of one kind, and one value by container."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Generic, Protocol, TypeVar

import msgspec

Item = TypeVar("Item")


class HasId(Protocol):
    """A value with an id, such as a container."""

    @property
    def id(self) -> str: ...


class Items(msgspec.Struct, Generic[Item], frozen=True):
    """Values of one kind, in order. The docstring of a subclass names the kind."""

    items: tuple[Item, ...] = ()

    def __class_getitem__(cls, _item: object) -> type[Items[Item]]:
        """This class itself: only a type checker asks for the kind of its items.

        The generic types of `typing` for each subclass take 4 ms of every run.
        """
        return cls

    def __iter__(self) -> Iterator[Item]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)


class ByContainer(msgspec.Struct, Generic[Item], frozen=True):
    """Values of some containers, one each. The docstring of a subclass names the value."""

    by_id: Mapping[str, Item] = {}
    """By container id."""

    def __class_getitem__(cls, _item: object) -> type[ByContainer[Item]]:
        """This class itself, as for `Items`."""
        return cls

    def of(self, container: HasId) -> Item | None:
        """The value of one container; None for the others."""
        return self.by_id.get(container.id)
