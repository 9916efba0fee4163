"""Lines of real logs for the rows of `diagnose/programs/failures/languages/memory.py`."""

from __future__ import annotations

LINES = {
    "library-unmapped": "/usr/lib/php/20220829/fileinfo.so: failed to map segment from shared object",
    "jvm-reserve": "Could not reserve enough space for 4194304KB object heap",
    "jvm-native": "# There is insufficient memory for the Java Runtime Environment to continue.",
    "jvm-heap": "java.lang.OutOfMemoryError: Java heap space",
    "node-heap": "FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory",
    "part-killed": (
        "WARN  app[][o.s.a.p.AbstractManagedProcess] Process exited with exit value [es]: 137"
    ),
    "worker-killed": "[1] [ERROR] Worker (pid:8) was sent SIGKILL! Perhaps out of memory?",
    "model-context": "ValueError: The model's max seq len (131072) is larger than the maximum number of tokens that can be stored in KV cache (68080). Try increasing `gpu_memory_utilization`",
    "memory-exhausted": "runtime: out of memory: cannot allocate 4194304-byte block (67108864 in use)",
    "shared-memory-full": "ERROR:platform_shared_memory_region_posix.cc(250)] Creating shared memory in /dev/shm/.org.chromium.Chromium.xyz failed: No space left on device (28)",
    "jvm-direct": "java.lang.OutOfMemoryError: Direct buffer memory",
}
