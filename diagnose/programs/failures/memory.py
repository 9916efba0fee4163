"""Heaps and runtimes that do not get the memory they ask for."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_HEAP = "container.heap-above-limit"

MEMORY = (
    Failure(
        "jvm-reserve",
        "could not reserve enough space",
        r"Could not reserve enough space for (?P<size>\d+KB object heap|\S+)",
        "the Java heap that is asked for ({size}) does not fit into the memory that the container may use",
        "lower -Xmx, or raise the container's memory limit",
        "the program's own message",
        _HEAP,
    ),
    Failure(
        "jvm-native",
        "insufficient memory for the java runtime",
        r"insufficient memory for the Java Runtime Environment",
        "Java cannot get memory from the system",
        "lower -Xmx, or raise the container's memory limit; where threads fail, see the limit of processes",
        "the program's own message",
        _HEAP,
    ),
    Failure(
        "jvm-heap",
        "java heap space",
        r"OutOfMemoryError: Java heap space",
        "the Java heap is full",
        "raise -Xmx and the container's memory limit with it",
        "Java documentation, OutOfMemoryError",
    ),
    Failure(
        "node-heap",
        "javascript heap out of memory",
        r"JavaScript heap out of memory",
        "Node.js has used up its heap",
        "raise --max-old-space-size below the container's memory limit",
        "the program's own message",
    ),
)
