"""Evidence about the peers that the log of a failed program names."""

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.peers.inner_engines import CERTIFICATES, TLS_PORT
from diagnose.evidence.containers.peers.unanswered_peers import Calls
from diagnose.evidence.containers.run_evidence import not_running
from diagnose.evidence.machine.clock import Clock
from diagnose.mappings import names_of
from diagnose.phrases import numbered

NAMES_SHOWN = 8
"""Names on its networks that evidence lists."""


def peer_evidence(
    container: Container, calls: Calls, containers: Containers, tail: LogTail, clock: Clock
) -> dict[str, object]:
    """The peers that the log names, and their states.

    A peer that does not run, or the start of a running one and whether it listens. Where the log
    misses a name that no container has, the existing names.
    """
    if calls.callees:
        running = {
            f"{callee.name}, which it calls": _state_of(callee, calls, clock)
            for callee in calls.callees
            if callee.is_running and callee.started_at is not None
        }
        return {**not_running(calls.callees, clock), **running}
    if "dns" in tail.signs:
        neighbours = sorted(names_of(containers.beside(container)))
        return {"names on its networks": neighbours[:NAMES_SHOWN] or "none"}
    return {}


def _state_of(callee: Container, calls: Calls, clock: Clock) -> str:
    """Since when a peer runs, and why it does not serve the call."""
    why = _unserved_port_clause(callee, calls)
    if calls.is_distrusted:
        why = "; the caller does not trust its certificate"
    return f"running, started {clock.ago(callee.started_at)}{why}"


def _unserved_port_clause(callee: Container, calls: Calls) -> str:
    """The sockets inside a peer that does not listen on the port, as the end of a sentence."""
    if not calls.is_unserved(callee):
        return ""
    inner = calls.inner_socket(callee)
    if inner is not None:
        return f"; it listens on port {inner.port} at {inner.address} only, for itself"
    silent = f"; nothing in it listens on port {calls.port}"
    if calls.serves_tls_instead(callee):
        return f"{silent}, its engine listens with TLS at port {TLS_PORT}: {CERTIFICATES} is set"
    ports = calls.served_ports(callee)
    return f"{silent}; it listens on {numbered('port', ports)}" if ports else silent
