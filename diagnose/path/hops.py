"""The hops of one connection through a host.

From the program that asks to the program that answers.

The way through the host itself is `firewall.trace`, which agrees with real packets. What lies
before and behind it, the container's namespace, its bridge and the listening socket, comes from
evidence. The walk ends at the first hop that is broken. A hop that is not known leaves the path
unknown, and the walk continues.
"""

import contextlib

from diagnose.evidence.network.host_stack import HostStack
from diagnose.path.arrive import to_container, to_host, to_outside
from diagnose.path.ends import End, PathTarget, share_namespace
from diagnose.path.leave import leave
from diagnose.path.listen import listens
from diagnose.path.model import Path, PathEvidence
from diagnose.path.walk import EndedError, PathWalk, runs


def path(site: PathEvidence, begin: End, target: PathTarget, end: End) -> Path:
    """The hops, up to the first that is broken."""
    walk = PathWalk(site, begin, target, end)
    with contextlib.suppress(EndedError):
        _walk(walk)
    return Path(begin, target, end, tuple(walk.hops))


def _walk(walk: PathWalk) -> None:
    """All hops from the begin to the end, the same namespace included."""
    begin = walk.begin.container
    end = walk.end.container
    if begin is not None:
        runs(walk, begin)
    if end is not None:
        runs(walk, end)
    if share_namespace(begin, end):
        text = f"{walk.begin} and {walk.end} share one network namespace"
        walk.add("namespace", "loopback", text)
        listens(walk, end, walk.wanted.port_of(end), "127.0.0.1")
        return
    leg = leave(walk, begin, end)
    if walk.site.host_stack is None:
        reason = walk.site.because(HostStack)
        text = f"the host's packet filter and routes could not be read{reason}"
        walk.add("filter", "host", text, "unknown")
        return
    if end is not None and not end.shares_host_network:
        to_container(walk, leg, end)
    elif walk.end.kind == "outside":
        to_outside(walk, leg)
    else:
        to_host(walk, leg, end)
