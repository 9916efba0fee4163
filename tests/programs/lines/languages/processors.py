"""Lines of real logs for the rows of `diagnose/programs/failures/languages/processors.py`."""

from __future__ import annotations

LINES = {
    "binary-read-as-script": '/srv/app/run: 1: Syntax error: "(" unexpected',
    "qt-of-newer-kernel": (
        "/usr/bin/qbittorrent-nox: error while loading shared libraries: libQt6Core.so.6: cannot open shared object file: "
        "No such file or directory"
    ),
    "native-image-cpu": (
        "The current machine does not support all of the following CPU features that are required by the image: [CX8, "
        "CMOV, FXSR, MMX, SSE, SSE2, SSE3, SSSE3, SSE4_1, SSE4_2, POPCNT, LZCNT, AVX, AVX2, BMI1, BMI2, FMA]."
    ),
    "worker-instruction": "[2024-04-06 20:40:23 +0000] [1] [ERROR] Worker (pid:8) was sent code 132!",
    "worker-crashed": "[2024-04-06 20:40:23 +0000] [1] [ERROR] Worker (pid:8) was sent SIGSEGV!",
    "binary-of-another-machine": "/plugins/app: line 1: \x7fELF\x02\x02\x01@@8\x01@: not found",
    "glibc-cpu": "Fatal glibc error: CPU does not support x86-64-v2",
    "mongo-avx": "WARNING: MongoDB 5.0+ requires a CPU with AVX support, and your current system does not appear to have that!",
    "tensorflow-avx": "The TensorFlow library was compiled to use AVX2 instructions, but these aren't available on your machine.",
    "clickhouse-cpu": "Instruction check fail. The CPU does not support SSSE3 instruction set.",
    "numpy-baseline": "RuntimeError: NumPy was built with baseline optimizations: (X86_V2) but your machine doesn't support",
    "page-size": "<jemalloc>: Unsupported system page size",
    "glibc-too-old": "/app/gateway: /lib/libc.so.6: version `GLIBC_2.34' not found (required by /app/gateway)",
    "shared-library": "error while loading shared libraries: libssl.so.1.1: cannot open shared object file: No such file or directory",
    "java-class-version": "has been compiled by a more recent version of the Java Runtime (class file version 65.0)",
    "dotnet-icu": "Process terminated. Couldn't find a valid ICU package installed on the system.",
    "thread-refused": "runtime/cgo: pthread_create failed: Operation not permitted",
    "thread-refused-rust": "thread 'main' panicked at 'OS can't spawn a new worker thread: Operation not permitted (os error 1)'",
    "thread-refused-node": "Assertion failed: (0) == (uv_thread_create(t.get(), start_thread, this))",
    "clock-refused": "Fatal Python error: init_interp_main: can't initialize time",
    "rust-clock": "thread 'main' panicked at library/std/src/sys/unix/time.rs:420:72:",
    "access-refused": "make: /bin/sh: Operation not permitted",
    "io-uring-refused": "io_uring_queue_init: Operation not permitted",
    "poll-refused": "s6-svscan: warning: unable to iopause: Operation not permitted",
    "bun-avx": "CPU lacks AVX support. Please consider upgrading to a newer CPU.",
    "binary-of-another-processor": "bash: /usr/local/bin/app: cannot execute binary file: Exec format error",
    "dotnet-not-loaded": "Failed to create CoreCLR, HRESULT: 0x80004005",
    "glibc-build-on-musl": "Error relocating /usr/bin/docker: __vfprintf_chk: symbol not found",
    "dotnet-invariant": "System.Globalization.CultureNotFoundException: Only the invariant culture is supported in globalization-invariant mode.",
}
