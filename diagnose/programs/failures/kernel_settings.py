"""Settings and limits of the host that are too low for a program."""

from __future__ import annotations

from diagnose.programs.failures.recognition import Failure

_SETTING = "container.kernel-setting-low"

KERNEL_SETTINGS = (
    Failure(
        "map-count",
        "max_map_count",
        r"vm\.max_map_count \[(?P<has>\d+)\] (?:is|likely) too low, increase to at least \[(?P<least>\d+)\]",
        "the host's vm.max_map_count is {has}, and the program needs {least}",
        "sysctl -w vm.max_map_count={least}",
        "spujadas/elk-docker#334",
        _SETTING,
        ("vm.max_map_count", "262144"),
    ),
    Failure(
        "redis-background-save",
        "can't save in background: fork",
        r"Can't save in background: fork: Cannot allocate memory",
        "Redis cannot fork for its background save, because the kernel does not overcommit memory",
        "sysctl -w vm.overcommit_memory=1",
        "the program's own message",
        _SETTING,
        ("vm.overcommit_memory", "1"),
    ),
    Failure(
        "async-io-requests",
        "io_setup()",
        r"io_setup\(\) failed with EAGAIN",
        "the host has no asynchronous I/O requests left: fs.aio-max-nr is used up",
        "sysctl -w fs.aio-max-nr=1048576",
        "the program's own message",
        _SETTING,
        ("fs.aio-max-nr", "1048576"),
    ),
    Failure(
        "async-io-scylla",
        "aio-max-nr",
        r"aio-max-nr.{0,80}(?:at least|to) (?P<least>\d+)|Could not setup Async I/O",
        "the program needs more asynchronous I/O requests than fs.aio-max-nr allows",
        "sysctl -w fs.aio-max-nr=1048576",
        "the program's own message",
        _SETTING,
        ("fs.aio-max-nr", "1048576"),
    ),
    Failure(
        "shared-memory-segment",
        "shmmax",
        r"could not create shared memory segment.*|SHMMAX",
        "the program asks for a larger shared memory segment than kernel.shmmax allows",
        "sysctl -w kernel.shmmax=17179869184",
        "PostgreSQL documentation, managing kernel resources",
        _SETTING,
        ("kernel.shmmax", "17179869184"),
    ),
    Failure(
        "low-port",
        "permission denied",
        r"(?:bind(?:\(\))?.{0,40}(?P<port>\b\d{1,3})\b.{0,30}permission denied|listen tcp [^ ]*:(?P<listen>\d{1,3}): bind: permission denied"
        r"|permission denied.{0,40}could not bind to address \S*?:(?P<apache>\d{1,3})\b|listen EACCES: permission denied \S*?:(?P<node>\d{1,3})\b)",
        "the program's user may not open a port below 1024",
        "let it listen on a port above 1023; with host networking lower net.ipv4.ip_unprivileged_port_start on the host",
        "the program's own message",
    ),
    Failure(
        "huge-pages",
        "could not map anonymous shared memory",
        r"could not map anonymous shared memory: Cannot allocate memory",
        "PostgreSQL cannot get the shared memory that shared_buffers asks for: the container's limit or the host's memory is smaller",
        "lower shared_buffers, or give the container more memory",
        "the program's own message",
    ),
    Failure(
        "browser-sandbox",
        "new namespace",
        r"Failed to move to new namespace|No usable sandbox",
        "the browser's sandbox may not create a user namespace in this container",
        "recreate it with a seccomp profile that allows user namespaces, or run the browser with --no-sandbox",
        "the program's own message",
    ),
    Failure(
        "file-watches",
        "watch",
        r"ENOSPC: System limit for number of file watchers reached|inotify watch limit|EMFILE: too many open files, watch",
        "the user's limit of inotify watches or instances on this host is used up",
        "sysctl -w fs.inotify.max_user_watches=524288 fs.inotify.max_user_instances=1024",
        "the program's own message",
        "resources.open-files-exhausted",
    ),
)
