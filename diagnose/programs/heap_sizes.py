"""The heap that a program is configured to use, read from its arguments and variables."""

from __future__ import annotations

from collections.abc import Iterable

from diagnose.lazy_pattern import LazyPattern

_JAVA = LazyPattern(r"(?<!\S)-Xmx(?P<count>\d+)(?P<unit>[kKmMgGtT]?)\b")
_NODE = LazyPattern(r"--max[-_]old[-_]space[-_]size[= ](?P<count>\d+)\b")
_UNITS = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
VARIABLES = (
    "_JAVA_OPTIONS",
    "CATALINA_OPTS",
    "ES_JAVA_OPTS",
    "JAVA_OPTS",
    "JAVA_TOOL_OPTIONS",
    "JVM_OPTS",
    "KAFKA_HEAP_OPTS",
    "LS_JAVA_OPTS",
    "NODE_OPTIONS",
    "OPENSEARCH_JAVA_OPTS",
    "SBT_OPTS",
    "SOLR_OPTS",
)
"""Variables from which start scripts and runtimes take such options."""


def heap_size(command: Iterable[str], environment: Iterable[str]) -> tuple[int, str]:
    """Bytes of the largest heap that is asked for, and the option that does.

    0 and "" where none is.

    The last `-Xmx` of a place counts, as for Java.
    """
    texts = [" ".join(command)]
    texts += [
        entry.partition("=")[2] for entry in environment if entry.partition("=")[0] in VARIABLES
    ]
    sizes = [(0, "")]
    for text in texts:
        java = list(_JAVA.finditer(text))[-1:]
        node = list(_NODE.finditer(text))[-1:]
        sizes += [(int(match["count"]) * _UNITS[match["unit"].lower()], match[0]) for match in java]
        sizes += [(int(match["count"]) << 20, match[0]) for match in node]
    return max(sizes)
