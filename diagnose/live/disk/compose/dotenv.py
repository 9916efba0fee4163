"""The file `.env` of a compose project, and the profiles that it switches on."""

from collections.abc import Collection

from diagnose.live.disk.compose.variables import assigned_values
from diagnose.live.disk.opening import read_text

_LONGEST = 1 << 16
"""Bytes of the file."""
_VARIABLE = "COMPOSE_PROFILES"
_ALL = "*"


def dotenv_text(folder: str) -> str:
    """The text of the file in a project's folder; "" where it cannot be read."""
    return read_text(f"{folder}/.env", _LONGEST) or ""


def profiles_that_are_off(profiles: Collection[str], folder: str) -> str:
    """The profiles of a service, where the `.env` of its project names none of them; else "".

    A profile with a variable may be any. The shell that calls compose may name profiles too.
    """
    dotenv = dotenv_text(folder)
    named_profiles = assigned_values(dotenv).get(_VARIABLE, "")
    has_variable = any("$" in profile for profile in profiles)
    if has_variable or (_VARIABLE in dotenv and not named_profiles):
        return ""
    active = {profile.strip() for profile in named_profiles.split(",")}
    is_on = _ALL in active or not active.isdisjoint(profiles)
    return "" if is_on else ", ".join(profiles)
