"""The words of a symptom: which say nothing, and which mean the same.

People and pages use different words for one thing, so that some words stand for a group.
"""

import re
from collections.abc import Iterator, Mapping

GROUPS: Mapping[str, str] = {
    "answer": (
        "answer answers answered respond responds response reply replies reach reachable "
        "unreachable connect connects connection refused timeout timed"
    ),
    "name": (
        "dns resolve resolves resolution lookup hostname name names nameserver resolver nxdomain"
    ),
    "full": "full space fills fill disk disks enospc eats eating storage",
    "memory": "memory oom ram killed 137",
    "restart": (
        "restart restarts restarting loop loops flapping "
        "crash crashes crashing crashed exits exit exited ended"
    ),
    "segfault": "139 sigsegv segfault segfaults segmentation",
    "start": "start starts started starting boot launch run",
    "slow": "slow slowly slowness latency lag hangs hang hanging hung stuck freezes frozen stalled",
    "port": "port ports published publish listening listen listens",
    "outside": "internet outside outbound egress external upstream",
    "gateway": "502 503 504 gateway proxy reverse nginx traefik caddy upstreams",
    "firewall": "firewall iptables nftables firewalld ufw rules chain chains dropped blocked",
    "image": "image images pull pulls pulling registry manifest tag",
    "log": "log logs logging journald rotate rotation",
    "permission": "permission denied forbidden access eacces",
    "volume": "volume volumes mount mounts mounted bind data",
    "daemon": "daemon dockerd engine docker.service socket ps",
    "health": "unhealthy health healthcheck probe probes",
    "cpu": "cpu throttled throttling load processor processors",
    "inode": "inode inodes",
    "clock": "clock time ntp drift",
    "ipv6": "ipv6 aaaa",
    "build": "build builds buildkit builder",
    "client": "client clients visitor visitors source",
    "address": "address addresses ip",
    "update": "update updates updated updating upgrade upgraded upgrading newer",
    "remove": "remove removes removed removing delete deleted deleting prune pruned rm",
    "device": "device devices usb gpu serial",
    "file": "file files",
    "secret": "secret secrets password passwords token credentials",
}
"""Words that mean the same where somebody describes a symptom, by the name of their group."""
GROUP_OF = {word: group for group, words in GROUPS.items() for word in words.split()}
_SAY_NOTHING = """
a an the is are was be been it its of on in to for from with and or not no my our your this that
does do did can cannot cant doesnt dont isnt wont could but if when what which who why how there i
we you they he she has have had any all at by as so than then since after before still only always
suddenly sometimes again even although just everything nothing know where shows plenty half
container containers docker service app host server get gets keep keeps other another more work
works working
"""
_STOP = frozenset(_SAY_NOTHING.split())
_WORD = re.compile(r"[a-z0-9][a-z0-9._-]*[a-z0-9]|[a-z0-9]")


def telling_words(text: str) -> Iterator[str]:
    """The words of a text without those that say nothing: groups, or stems."""
    for word in _WORD.findall(text.lower().replace("'", "")):
        if word in GROUP_OF:
            yield GROUP_OF[word]
        elif word not in _STOP and not word.isdigit():
            yield _stem(word)


def _stem(word: str) -> str:
    """A word without its ending, so that "resolves" and "resolving" are one."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word
