"""Lines of real logs for the rows of `diagnose/programs/failures/memory.py`."""

from __future__ import annotations

LINES = {
    "jvm-reserve": "Could not reserve enough space for 4194304KB object heap",
    "jvm-native": "# There is insufficient memory for the Java Runtime Environment to continue.",
    "jvm-heap": "java.lang.OutOfMemoryError: Java heap space",
    "node-heap": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "part-killed": (
        "WARN  app[][o.s.a.p.AbstractManagedProcess] Process exited with exit value [es]: 137"
    ),
}
