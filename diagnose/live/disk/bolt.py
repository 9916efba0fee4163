"""The records of a bbolt database, read as its pages are, without its lock. Pure.

The format is bbolt's: https://github.com/etcd-io/bbolt/blob/main/internal/common/page.go. A
database that is being written has two meta pages, of which the newer whole one counts.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

_PAGE = struct.Struct("<QHHI")
"""Number, kind, count of elements, and how many pages follow that belong to it."""
_META = struct.Struct("<IIIIQQQQQQ")
"""Magic, version, page size, flags, root page, sequence, free list, pages, transaction, checksum.
"""
_LEAF = struct.Struct("<IIII")
_BRANCH = struct.Struct("<IIQ")
_BUCKET = struct.Struct("<QQ")
_MAGIC = 0xED0CDAED
_IS_BRANCH = 0x01
_IS_LEAF = 0x02
_DEEPEST = 16
"""Levels of pages; a database of a gigabyte has four."""


def bucket(data: bytes, name: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The keys and values of one bucket at the top; none where there is no such bucket.

    ValueError where the bytes are no such database, or one that was caught half written.
    """
    try:
        size, root = _newest_meta(data)
        pages = _Pages(data, size)
        for is_bucket, key, value in pages.elements(root * size):
            if is_bucket and key == name:
                inner, _ = _BUCKET.unpack_from(value)
                # a small bucket lies in its parent's value, as a page of its own
                inside = pages if inner else _Pages(value[_BUCKET.size :], size)
                yield from ((key, held) for _, key, held in inside.elements(inner * size))
    except struct.error as error:
        raise ValueError(f"a page lies outside of the file: {error}") from error


def _newest_meta(data: bytes) -> tuple[int, int]:
    """The size of a page, and the root page of the newest transaction."""
    metas = []
    for at in (0, 4096, 8192, 16384, 65536):
        if at + _PAGE.size + _META.size <= len(data):
            magic, _, size, _, root, _, _, _, transaction, _ = _META.unpack_from(
                data, at + _PAGE.size
            )
            if magic == _MAGIC and size and at in (0, size):
                metas.append((transaction, size, root))
    if not metas:
        raise ValueError("it has no page that describes it")
    _, size, root = max(metas)
    return size, root


class _Element(NamedTuple):
    """A key of a page."""

    is_bucket: bool
    key: bytes
    value: bytes


class _Pages:
    """Pages of one size, in the file or in the value of a small bucket."""

    def __init__(self, data: bytes, size: int) -> None:
        self._data = data
        self._size = size

    def elements(self, at: int, depth: int = 0) -> Iterator[_Element]:
        """The keys with their values, from the page at this offset down."""
        _, kind, number, _ = _PAGE.unpack_from(self._data, at)
        if depth > _DEEPEST or not kind & (_IS_BRANCH | _IS_LEAF):
            raise ValueError(f"the page at {at} is of kind {kind}")
        for index in range(number):
            element = at + _PAGE.size + index * _LEAF.size
            if kind & _IS_BRANCH:
                _, _, page = _BRANCH.unpack_from(self._data, element)
                yield from self.elements(page * self._size, depth + 1)
                continue
            flags, place, of_key, of_value = _LEAF.unpack_from(self._data, element)
            start = element + place
            end = start + of_key + of_value
            if end > len(self._data):
                raise ValueError(f"a value of the page at {at} lies outside of the file")
            key = self._data[start : start + of_key]
            value = self._data[start + of_key : end]
            yield _Element(bool(flags & 1), key, value)
