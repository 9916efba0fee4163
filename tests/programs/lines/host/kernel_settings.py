"""Lines of real logs for the rows of `diagnose/programs/failures/host/kernel_settings.py`."""

from __future__ import annotations

LINES = {
    "map-count": "[1]: max virtual memory areas vm.max_map_count [65530] is too low, increase to at least [262144]",
    "redis-background-save": "1:M 02 Jan 2026 10:00:00.000 # Can't save in background: fork: Cannot allocate memory",
    "async-io-requests": "2026-01-02 10:00:00 0 [Warning] InnoDB: io_setup() failed with EAGAIN. Will make 5 attempts before giving up.",
    "async-io-scylla": "Could not setup Async I/O: Resource temporarily unavailable. Set /proc/sys/fs/aio-max-nr to at least 65536",
    "shared-memory-segment": "FATAL:  could not create shared memory segment: Invalid argument. HINT: kernel's SHMMAX parameter",
    "low-port": "2026/01/02 10:00:00 listen tcp :80: bind: permission denied",
    "ipv6-absent": "nginx: [emerg] socket() [::]:80 failed (97: Address family not supported by protocol)",
    "huge-pages": "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
    "browser-sandbox": "Failed to move to new namespace: PID namespaces supported, but failed: errno = Operation not permitted",
    "nftables-unsupported": "iptables v1.8.11 (nf_tables): Could not fetch rule set generation id: Invalid argument",
    "file-watches": "Error: ENOSPC: System limit for number of file watchers reached, watch '/app/src'",
}
