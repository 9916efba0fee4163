"""What findings say of host names that a failed program calls and that nobody near it has."""

from __future__ import annotations

import difflib
from collections.abc import Mapping

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.settings.named_settings import NamedSetting
from diagnose.model import Json

_VARIABLE = "environment variable "


def stray_evidence(strays: Mapping[str, str], containers: Containers) -> dict[str, Json]:
    """That no container has the name, and whose name is like it."""
    evidence: dict[str, Json] = {}
    for name, place in strays.items():
        near = difflib.get_close_matches(name, containers.by_dns_name, n=1)
        like = f"; a similar name is {_owner(near[0], containers)}" if near else ""
        evidence[f'"{name}", in {place}'] = f"no container on this host has that name{like}"
    return evidence


def _owner(name: str, containers: Containers) -> str:
    """A name, and the container that has it where it is not called so itself."""
    owner = containers.by_dns_name[name][0]
    return f'"{name}"' if owner.name == name else f'"{name}" of {owner}'


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
