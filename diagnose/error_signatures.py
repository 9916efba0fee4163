"""Classes of error text.

By them a cause and its effect are matched by what was really printed.
"""

import functools
import re

from diagnose.foreign_words import in_english
from diagnose.lazy_pattern import LazyPattern
from diagnose.required_words import required_words
from diagnose.usage_texts import without_usage

PATTERNS: dict[str, str] = {
    # the kernel has the same words for a user's file watchers, keys and namespaces, and for cgroups
    "no-space": r"(?m)^(?!.*(?:watch: |/sys/fs/cgroup|fork/exec )).*no space left on device"
    r"|ENOSPC(?!: system limit)|disk (?:is )?full"
    r"|(?<!key: )disk quota exceeded",
    "read-only": r"read-only file ?system|\bEROFS\b",
    "io-error": r"input/output error|\bEIO\b(?!=)|stale file handle",
    "dns": r"temporary failure in name resolution|server misbehaving|no such host"
    # programs resolve many things that have no address
    r"|could not resolve(?! (?:all|an?|any|every|the|this)\b)"
    r"(?! \W?(?:alias|bean|branch|class|commit|component|conflict|dependenc|entry|import|module|parameter|path"
    r"|placeholder|plugin|property|reference|revision|schema|symbol|tag|template|type|variable|version)\w*)"
    r"|bad address"
    r"|SERVFAIL|name or service not known|no servers could be reached|: lookup \S+:|\blookup \S+ on \S+:"
    r"|EAI_AGAIN|getaddrinfo|UnknownHostException|name does not resolve|failed to resolve ['\"]"
    r"|host not found in (?:upstream|resolver)|no resolver defined to resolve"
    r"|could not be resolved \(\d+: "
    r"|no address associated with hostname|name has no usable address|\bquery(?:A|Aaaa) E[A-Z]{4}"
    r"|i/o timeout.{0,40}:53",
    "unreachable": r"network is unreachable|is not reachable, cannot"
    r"|no route to host|host is unreachable|EHOSTUNREACH|ENETUNREACH",
    # a setting has the same word with its value
    "timeout": r"i/o timeout|timed ?out|time out|timeout(?![\w\"']*[ :=]{1,3}[\"']?\d)|deadline exceeded"
    r"|timeout\W{1,3}\d{1,9} ?m?s (?:elapsed|exceeded|reached)|ETIMEDOUT|\b100% packet loss",
    "probe-timeout": r"health check exceeded timeout",
    "refused": r"connection refused|ECONNREFUSED|ConnectionRefusedError"
    # JDBC; the number of the error alone: clients of MySQL, Python's without its words
    r"|connection to [\w.\[\]:-]{1,200} refused|connect[^\n]{0,120}\(111\)|\[errno 111\]"
    # aiohttp leaves out why asyncio's call has failed at once
    r"|cannot connect to host \S+ ssl:\S+ \[connect call failed"
    # Prisma
    r"|can't reach database server at `[\w.-]{1,253}`:`\d{2,5}`"
    r"|cannot connect to the docker daemon at tcp://",
    "port-taken": r"address (?:already )?in use|port is already allocated|EADDRINUSE",
    "oom": r"out of memory|oom-kill|cannot allocate memory|OutOfMemoryError|\bENOMEM\b",
    # the kernel has the same words for a socket whose queue is full, and for a lock
    "no-fork": r"can(?:no|')t fork|\bfork: .*resource temporarily unavailable|init-p: connection reset"
    # refused by a filter, it says EPERM: that is not a limit
    r"|pthread_create failed(?! \(EPERM\)|: operation not permitted)"
    r"|unable to create (?:new )?native thread|unable to start new thread|can't start new thread"
    r"|failed to create new OS thread"
    r"|what\(\): +resource temporarily unavailable"
    r"|(?:\b(?:v?fork|clone3?|exec|execve|spawn)\b"
    r"|\b(?:creat|fork|spawn|start|launch|new )\w*[^\n]{0,30}\b(?:thread|process|worker|child)\w*)"
    r"(?:(?!\b(?:connect|send\w*|recv\w*|accept4?|read|write|socket|f?lock)\b)[^\n]){0,60}"
    r"(?:resource temporarily unavailable|\bEAGAIN\b)",
    "open-files": r"too many open files|\bEMFILE\b|\bENFILE\b",
    "permission": r"permission denied|operation not permitted|\bEACCES\b|\bEPERM\b",
    "exec-format": r"exec format error",
    "containerd": r"containerd\.sock|containerd: |failed to dial",
    "iptables": r"no chain/target/match by that name|iptables failed|nftables?.{0,20}failed",
    "certificate": r"x509:|certificate (has expired|signed by unknown|relies on)"
    r"|tls: (?![\"']?(?:disabled|enabled|false|no|none|null|off|on|true|v?1\.\d|yes)\b)",
    "certificate-date": r"certificate has expired or is not yet valid",
    "proxy": r"proxyconnect|proxy authentication required",
    "rate-limit": r"toomanyrequests|pull rate limit|429 Too Many",
}
"""The classes of error text, and what their texts look like."""
NO_WAY_OUT = frozenset({"dns", "timeout", "unreachable"})
"""What programs print when their packets are lost: the signs of a cause in the firewall or the
network."""
FOUND_NOBODY = frozenset({"refused", "timeout", "unreachable"})
"""What programs print of a call to an address where nobody answers."""
CALL_FAILED = FOUND_NOBODY | {"dns"}
"""The same of a call by a name, which may be unknown too."""


def signs(*texts: str) -> frozenset[str]:
    """The classes of error that these texts show, by name; empty if none is known.

    A usage text in one of them shows none.
    """
    return frozenset[str]().union(*map(_signs_of, texts))


_REQUEST = LazyPattern(r'"(?:DELETE|GET|HEAD|OPTIONS|PATCH|POST|PUT) [^"\s]{1,2000} HTTP/\d')
"""A request as web servers log it: its path may hold any word."""


@functools.lru_cache(8192)
def _signs_of(text: str) -> frozenset[str]:
    """The classes that one text shows.

    To look for the words of all patterns costs less than one pattern, and few lines have one.
    """
    if "\n" in text or text[:1].isspace():
        text = "\n".join(without_usage(text.split("\n")))
    text = _REQUEST.sub("", in_english(text))
    lowered = text.lower()
    suspected = {sign for word, sign in _words() if word in lowered}
    return frozenset(sign for sign in suspected if _pattern(sign).search(text))


@functools.cache
def _words() -> list[tuple[str, str]]:
    """Words, in small letters, and the class whose texts hold one of its words."""
    return [
        (word, sign)
        for sign, pattern in PATTERNS.items()
        for word in required_words(pattern, re.IGNORECASE) or ("",)
    ]


@functools.cache
def _pattern(sign: str) -> re.Pattern[str]:
    return re.compile(PATTERNS[sign], re.IGNORECASE)
