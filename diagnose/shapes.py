"""Values as types, from several threads at once.

msgspec (0.22.0) builds what it knows of a type when the type is first used, and shows it to other
threads before it is complete: two threads that use a type for the first time end the process with a
segmentation fault. So the first use of each type is behind a lock.
"""

import threading
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")
_building = threading.Lock()
_built: set[Any] = set()


def convert(value: Any, kind: type[T]) -> T:
    """The value as this type. msgspec.ValidationError for a value of another shape."""
    if kind not in _built:
        with _building:
            msgspec.json.Decoder(kind)  # builds all that the type is made of
            _built.add(kind)
    return msgspec.convert(value, kind)
