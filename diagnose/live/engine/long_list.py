"""The list of containers where it is long: of each row only what a run and its reader take from it.

A row has 640 bytes, and inspect says all of it again. The whole rows of 100,000 containers take 250
MiB as values, and these 40 MiB.
"""

from typing import Any, TypedDict

import msgspec

from diagnose.model import Json

LONG_BYTES = 8 * 1024 * 1024
"""The list of some 10,000 containers."""


class _Row(TypedDict, total=False):
    """One row: who it is, and in what state, for those that a run has no time to inspect."""

    Id: Any
    Names: Any
    Image: Any
    State: Any
    Status: Any


_DECODER = msgspec.json.Decoder(list[_Row])
"""Made when the module is imported, by one thread (`diagnose.shapes`)."""


def short_rows(body: bytes) -> Json:
    """The rows without their other fields.

    msgspec.ValidationError for a body of another shape, DecodeError for one that is not JSON.
    """
    rows: list[Any] = _DECODER.decode(body)
    return rows
