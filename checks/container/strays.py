"""Host names that a failed program calls and that nobody near it has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.named_settings import NamedSetting
from diagnose.evidence.dns.failed_names import UNREACHED, names_by_network, stray_names
from diagnose.model import Json

_NAMED = frozenset({"name-unresolved", "nginx-upstream", "peer-unreached"})
"""Failures that say whom the program called."""
_GROUPS = ("host", "peer")
_VARIABLE = "environment variable "


def strays_of(container: Container, containers: Containers, tail: LogTail) -> Mapping[str, str]:
    """The short names that the program called, with the place where each stands, that no container
    near it has, running or not.

    The log names them, or else the settings do, where the log says only that a call failed.
    """
    failure = tail.failure
    name = failure.failure.name if failure is not None else ""
    if failure is None or name not in _NAMED | UNREACHED:
        return {}
    called = stray_names(container, names_by_network(containers))
    if name in _NAMED:
        values = (failure.values.get(group, "").partition(":")[0] for group in _GROUPS)
        host = next((value.strip("`'\"") for value in values if value), "")
        called = {host: called.get(host, "its log")} if host and "." not in host else {}
    return {
        name: place
        for name, place in called.items()
        if name not in containers.by_dns_name and name not in container.extra_names
    }


def stray_evidence(strays: Mapping[str, str], containers: Containers) -> dict[str, Json]:
    """That no container has the name, and whose name is like it."""
    evidence: dict[str, Json] = {}
    for name, place in strays.items():
        near = difflib.get_close_matches(name, containers.by_dns_name, n=1)
        like = f"; {containers.by_dns_name[near[0]][0]} is called {near[0]}" if near else ""
        evidence[f'"{name}", in {place}'] = f"no container on this host has that name{like}"
    return evidence


def stray_setting(strays: Mapping[str, str]) -> NamedSetting | None:
    """The one variable that gives such a name."""
    places = {place for place in strays.values() if place.startswith(_VARIABLE)}
    if len(strays) != 1 or len(places) != 1:
        return None
    return NamedSetting(variable=places.pop().removeprefix(_VARIABLE), fault="value")


def stray_variables(strays: Mapping[str, str]) -> dict[str, str]:
    """The variables of a page: no other start heals a name that nobody has."""
    setting = stray_setting(strays)
    return setting.variables if setting is not None else {}
