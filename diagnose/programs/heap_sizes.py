"""The heap that a program is configured to use, read from its arguments and variables."""

from collections.abc import Iterable, Sequence

import msgspec

from diagnose.lazy_pattern import LazyPattern
from diagnose.mappings import assignments
from diagnose.numbers import BYTES_OF_UNIT, is_number
from diagnose.phrases import MIB

_JAVA = LazyPattern(r"(?<!\S)-Xmx(?P<count>\d+)(?P<unit>[kKmMgGtT]?)\b")
_NODE = LazyPattern(r"--max[-_]old[-_]space[-_]size[= ](?P<count>\d+)\b")
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

_JAVA_VERSION = LazyPattern(
    r"^(?:jdk-?)?(?:1\.)?(?P<major>\d{1,2})(?:(?:u|\.0_|\.0\.)(?P<update>\d{1,3}))?(?![\d.]{4})"
)
"""8u171, jdk8u181-b13, 1.8.0_121, 9.0.4: forms of JAVA_VERSION in images of Java."""
_LIMITED = LazyPattern(
    r"-Xmx\d|-XX:(?:MaxHeapSize|MaxRAM|MaxRAMFraction|MaxRAMPercentage)=|UseCGroupMemoryLimitForHeap"
)
"""The command limits the heap of Java itself."""
_AWARE_UPDATE = 191
"""The first update of Java 8 that takes the limit of a container for the memory of its machine
(JDK-8146115); among the others, Java 10 does."""
DEFAULT_SHARE = 4
"""Without an option, Java's heap may take a fourth of the memory that it sees."""


def unaware_java(command: Iterable[str], environment: Sequence[str]) -> str:
    """The version of a Java that sizes its heap by the memory of the host; "" for any other.

    "" too where an option sets the size.
    """
    values = assignments(environment)
    texts = [" ".join(command), *(values.get(name, "") for name in VARIABLES)]
    match = _JAVA_VERSION.search(values.get("JAVA_VERSION", ""))
    if match is None or any(_LIMITED.search(text) for text in texts):
        return ""
    major = int(match["major"])
    update = match["update"] or values.get("JAVA_UPDATE", "")
    is_old_8 = major == 8 and is_number(update) and int(update) < _AWARE_UPDATE
    if not (is_old_8 or major in (6, 7, 9)):
        return ""
    return f"{major}u{update}" if is_old_8 else str(major)


class HeapOption(msgspec.Struct, frozen=True, order=True):
    """The size of a heap, and the option that asks for it."""

    bytes: int = 0
    option: str = ""


def largest_heap(command: Iterable[str], environment: Iterable[str]) -> HeapOption:
    """The largest heap in the options; 0 bytes where there is none.

    The last `-Xmx` of a place counts, as for Java.
    """
    values = assignments(environment)
    texts = [" ".join(command), *(values.get(name, "") for name in VARIABLES)]
    heaps = [HeapOption()]
    for text in texts:
        java = list(_JAVA.finditer(text))[-1:]
        node = list(_NODE.finditer(text))[-1:]
        heaps += [
            HeapOption(int(option["count"]) * BYTES_OF_UNIT[option["unit"].lower()], option[0])
            for option in java
        ]
        heaps += [HeapOption(int(option["count"]) * MIB, option[0]) for option in node]
    return max(heaps)
