"""A report as it is stored, and why a place gives none."""

import msgspec

ENDINGS = (".json", ".json.gz")
"""What a folder or a bucket is searched for."""


class SourceError(Exception):
    """The user's source cannot be searched at all. The message is one clear sentence."""


class Unusable(msgspec.Struct, frozen=True):
    """A file that is not a report which can be counted, and why."""

    place: str
    why: str
    may_be_a_host: bool = True
    """Whether it may be the report of a host that nothing else is known of."""


class Packed(msgspec.Struct, frozen=True):
    """The bytes of one file as they are stored."""

    place: str
    data: bytes
