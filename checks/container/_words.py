"""What findings about containers share: causes, phrases, the container's own last line."""

from __future__ import annotations

from diagnose.evidence.containers import Container
from diagnose.evidence.last_words import LastWords, Words
from diagnose.model import Unavailable
from diagnose.times import ago

APPLICATION_CAUSES = (
    "container.exec-format",
    "container.interpreter-missing",
    "container.mount-forbidden",
    "container.mount-stale",
    "daemon.containerd-down",
    "dns.host-broken",
    "dns.loopback-stub",
    "dns.no-nameserver",
    "dns.udp-blocked",
    "dns.upstream-unreachable",
    "firewall.chains-missing",
    "firewall.forward-dropped",
    "firewall.forwarding-off",
    "firewall.masquerade-missing",
    "network.bridge-down",
    "network.host-port-conflict",
    "network.mtu-mismatch",
    "network.veth-detached",
    "resources.host-oom",
    "resources.open-files-exhausted",
    "resources.pids-exhausted",
    "storage.disk-full",
    "storage.inodes-exhausted",
    "storage.network-volume-stale",
    "storage.read-only",
    "storage.shm-full",
)
"""What makes a program fail that is itself in order."""

LINE = "log, last line"
QUOTED = 300


def words_of(last_words: LastWords | Unavailable, container: Container) -> Words:
    """Its last lines; none where logs could not be had."""
    return Words(()) if isinstance(last_words, Unavailable) else last_words.of(container)


def quoted(words: Words) -> dict[str, str]:
    """The last line as evidence, if there is one."""
    return {LINE: words.last[:QUOTED]} if words.last else {}


def took(seconds: float | None) -> str:
    """How long a run lasted: 0.3 s, 40 s, 3 h."""
    if seconds is None:
        return "an unknown time"
    return f"{seconds:.1f} s" if seconds < 10 else ago(seconds)


def times(count: int) -> str:
    """Once, twice, 5 times."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")
