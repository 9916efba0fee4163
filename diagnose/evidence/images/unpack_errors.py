"""Reasons why a whole image cannot be unpacked, by the words of the engine. Pure."""

from diagnose.lazy_pattern import LazyPattern

UNREADABLE_ARCHIVE = LazyPattern(r"unexpected EOF|invalid tar header")
"""A layer whose digest fits, and that the engine cannot read as a tar archive."""
LEFT_RECORD = LazyPattern(
    r"rename \S+/write-set-\d+ (?P<record>(?P<root>/\S+)/image/\S+/layerdb/sha256/[0-9a-f]{64}): "
    r"(?:file exists|directory not empty)"
)
"""The engine moves a complete record of a layer to its place. An existing record there was not
readable when the engine started."""
DISK_ERROR = "the disk of the data root reports an I/O error"
KILLED = "the program that unpacks it was killed, most often for lack of memory"
NO_ATTRIBUTES = "the disk of the data root keeps no extended attributes, as a network share"
NO_NAMESPACES = "the engine may not make namespaces to unpack it, as in a container without nesting"
_MEANINGS = (
    (
        LazyPattern(r"schema 1\b|manifest\.v1\+prettyjws|missing signature key"),
        "its registry has it in the old format schema 1, which this engine does not read",
    ),
    (LazyPattern(r"docker\.plugin\.v\d"), "it is a plugin of the engine and not an image"),
    (LazyPattern(r"media ?type"), "its layers are in a format that this engine does not know"),
    (
        UNREADABLE_ARCHIVE,
        "it was downloaded completely, but this engine cannot read the archives of its layers",
    ),
    (
        LEFT_RECORD,
        "an old record of one of the layers, unreadable as after a power cut, blocks the new one",
    ),
    (LazyPattern(r"input/output error"), DISK_ERROR),
    (LazyPattern(r"signal: killed"), KILLED),
    (LazyPattern(r"operation not supported"), NO_ATTRIBUTES),
    (
        LazyPattern(
            r"(?:unshare|mount|clone)\S{0,99}: (?:operation not permitted|permission denied)"
        ),
        NO_NAMESPACES,
    ),
)
"""The meanings of error texts, of which the first that fits counts; a text without one is shown
unchanged."""


def unpack_error(text: str) -> str:
    """The meaning of an engine's error; empty where no known pattern fits."""
    return next((meaning for pattern, meaning in _MEANINGS if pattern.search(text)), "")
