"""Services that compose leaves out of a project, because nothing names their profile."""

from collections.abc import Collection

from diagnose.live.disk.compose.variables import assigned_values
from diagnose.live.disk.opening import read_text

_LONGEST = 1 << 16
"""Bytes of the file `.env`."""
_VARIABLE = "COMPOSE_PROFILES"
_ALL = "*"


def profiles_that_are_off(profiles: Collection[str], folder: str) -> str:
    """The profiles of a service, where the `.env` of its project names none of them; else "".

    A profile with a variable may be any. The shell that calls compose may name profiles too.
    """
    text = read_text(f"{folder}/.env", _LONGEST) or ""
    named_profiles = assigned_values(text).get(_VARIABLE, "")
    has_variable = any("$" in profile for profile in profiles)
    if has_variable or (_VARIABLE in text and not named_profiles):
        return ""
    active = {profile.strip() for profile in named_profiles.split(",")}
    is_on = _ALL in active or not active.isdisjoint(profiles)
    return "" if is_on else ", ".join(profiles)
