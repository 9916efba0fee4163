"""Host names that a failed program calls and that no container near it has. Pure."""

from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.dns.names.failed_names import UNREACHED, stray_names
from diagnose.programs.failures import Recognised

_NAMED = frozenset({"name-unresolved", "nginx-upstream", "peer-unreached"})
"""Failures that say whom the program called."""
_GROUPS = ("host", "peer")


def strays_of(container: Container, containers: Containers, tail: LogTail) -> Mapping[str, str]:
    """The short names that the program called and that no container near it has, with their places.

    Containers that do not run count as near too. The log names them, or else the settings do, where
    the log says only that a call failed.
    """
    return strays_by(tail.failure, container, containers)


def strays_by(
    failure: Recognised | None, container: Container, containers: Containers
) -> Mapping[str, str]:
    """The short names of a failure, by its line or settings, that no container near it has."""
    if failure is None or failure.name not in _NAMED | UNREACHED:
        return {}
    called = stray_names(container, containers.names_by_network)
    if failure.name in _NAMED:
        host = called_host(failure)
        called = {host: called.get(host, "its log")} if host and "." not in host else {}
    known_names = containers.by_dns_name.keys() | container.extra_names
    return {name: place for name, place in called.items() if name not in known_names}


def called_host(failure: Recognised) -> str:
    """The host that the program called, by its line; "" where the line names none."""
    values = (failure.values.get(group, "").partition(":")[0] for group in _GROUPS)
    return next((value.strip("`'\"") for value in values if value), "")
