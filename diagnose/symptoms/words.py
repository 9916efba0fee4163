"""The words of a symptom: which say nothing, and which mean the same.

People and pages use different words for one thing, so that some words stand for a group.
"""

import re
from collections.abc import Iterable, Iterator, Mapping

from diagnose.word_sets import vocabulary

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
KINDS: Mapping[str, str] = {
    "gone": "gone lost lose losing vanished vanish disappeared disappear missing wiped empty",
    "site": "website websites site sites page pages web webpage homepage ui gui dashboard",
    "slow": "slow slowly slowness sluggish laggy forever long",
    "hang": "hang hangs hanging hung stuck frozen freeze freezes freezing stalled unresponsive still",
    "server": "server machine host vm computer box pc",
    "program": "app apps application program service software",
    "user": "user users visitor visitors customer customers client clients",
    "certificate": "certificate certificates cert certs ssl tls https letsencrypt certbot",
    "mail": "mail mails email emails smtp",
    "database": "database databases db postgres postgresql mysql mariadb mongodb mongo sql",
    "folder": "folder folders directory directories path",
    "change": "change changes changed edit edits edited modify modified",
    "vpn": "vpn wireguard openvpn tailscale",
    "device": "device devices usb gpu serial nvidia cuda graphics stick dongle",
    "save": "save saves saved store stores stored write writes writing written",
    "big": "big large huge",
    "failure": "error errors fail fails failing failed failure broken",
    "down": "down offline dead unavailable",
    "job": "job jobs task tasks queue worker workers",
    "end": "crash crashes crashing crashed dies die died dying exits exit exited quits stops",
    "old": "old older outdated stale former previous",
}
"""Words that mean nearly the same in a complaint: one stands for another, and counts less."""
GROUP_OF = {word: group for group, words in GROUPS.items() for word in words.split()}
_SAY_NOTHING = """
a an the is are was were be been being am it its of on in to for from with and or my our your his
her their this that these those there here do does did doing can could would should may might if but
when where what which who why how i we you they he she me us them has have had having any at all by
as so than then since just even although though because only always again still really very too
suddenly sometimes anything something everything nothing one get gets got getting also please help
im ive
"""
"""Words of any sentence."""
_SAY_LITTLE = """
not no cannot cant doesnt dont isnt wont after before keep keeps other another more know shows plenty
half container containers docker service app host server work works working
"""
"""Words of any sentence about containers."""
MEANINGS = frozenset(word for words in KINDS.values() for word in words.split()) | GROUP_OF.keys()
"""Words with others that mean the same."""
_NOTHING = vocabulary(_SAY_NOTHING)
_STOP = _NOTHING | vocabulary(_SAY_LITTLE)
_NOT = frozenset(
    [
        "not",
        "no",
        "cannot",
        "cant",
        "doesnt",
        "dont",
        "isnt",
        "wont",
        "arent",
        "wasnt",
        "never",
        "without",
        "nobody",
    ]
)
COMMON = _STOP | _NOT
"""Words of any sentence, about anything."""
PARTICLES = vocabulary("in on up out off down")
"""Words that make one word with a verb: to log in, and a login."""
_APOSTROPHE = re.compile("['\N{RIGHT SINGLE QUOTATION MARK}]")
_WORD = re.compile(r"(?:/[\w.-]+)+|[^\W_]+(?:[.][^\W_]+)*")


def plain_words(text: str) -> list[str]:
    """The words of a text: a word with a hyphen is two, a path or the name of a file is one."""
    return _WORD.findall(_APOSTROPHE.sub("", text.lower()))


def telling_words(words: Iterable[str]) -> Iterator[str]:
    """The words that describe a page's fault: groups, or stems."""
    for word in words:
        if word in GROUP_OF:
            yield GROUP_OF[word]
        elif word not in _STOP and not word.isdigit():
            yield stem(word)


def spoken_words(words: Iterable[str]) -> Iterator[str]:
    """The stems of a complaint: of all words but those of any sentence. "no" and "cannot" become
    "not"."""
    for word in words:
        if word in _NOT:
            yield "not"
        elif word not in _NOTHING:
            yield stem(word)


def kind_of(stem_of_word: str) -> str:
    """The name of the words that mean the same as a stem, or nearly so; else the stem."""
    return _KIND_OF_STEM.get(stem_of_word, stem_of_word)


def stem(word: str) -> str:
    """A word without its ending, so that "resolves" and "resolving" are one."""
    for ending in ("ing", "ed", "es", "s"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word.removesuffix(ending)
    return word


_KIND_OF_STEM = {stem(word): group for word, group in GROUP_OF.items()} | {
    stem(word): kind for kind, words in KINDS.items() for word in words.split()
}
