"""First steps where a line names a setting of the kernel."""

from __future__ import annotations

from diagnose.evidence.containers.listing import Container
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import PageVariables

_SETTING = LazyPattern(
    r"(?<![\w./-])(?:net\.(?:core|ipv[46]|netfilter)\.[a-z0-9_]{2,40}(?:\.[a-z0-9_]{2,40}){0,3}"
    r"|vm\.(?:max_map_count|overcommit_memory|swappiness|nr_hugepages|[a-z_]{2,20}_ratio)"
    r"|fs\.(?:file-max|nr_open|aio-max-nr|inotify\.[a-z_]{2,30}|mqueue\.[a-z_]{2,30})"
    r"|kernel\.(?:shm[a-z]{2,6}|sem|msg[a-z]{2,6}|pid_max|threads-max|perf_event_paranoid"
    r"|unprivileged_userns_clone|yama\.ptrace_scope|keys\.[a-z_]{2,20}))\b"
)
"""Settings of which servers complain; those of programs begin with the same words."""


def kernel_setting_steps(container: Container, text: str) -> PageVariables:
    """The variables of a page about the setting, as `sysctl` takes it."""
    match = _SETTING.search(text.replace("/proc/sys/", " ").replace("/", "."))
    return {"wanted_setting": match[0], "set_for": container.name} if match is not None else {}
