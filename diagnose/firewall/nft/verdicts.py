"""The verdict of an expression or of an element of a set."""

from collections.abc import Mapping
from typing import Any

from diagnose.firewall.actions import Action, Enter, Leave, Maybe, Stop

_DROPS = (0, 2)
"""NF_DROP and NF_STOLEN."""
_ACCEPTS = (1, 5)
"""NF_ACCEPT and NF_STOP."""
_GOES_ON = (-1, -2)
"""NFT_CONTINUE and NFT_BREAK."""
_JUMP = -3
_GOTO = -4
_RETURN = -5


def verdict(data: Mapping[str, Any]) -> Action | None:
    """The action of a verdict. None where the packet meets the next rule."""
    code = data["code"]
    if code in _DROPS:
        return Stop("drop")
    if code in _ACCEPTS:
        return Stop("accept")
    if code in _GOES_ON:
        return None
    if code in (_JUMP, _GOTO):
        return Enter(data["chain"], back=code == _JUMP)
    if code == _RETURN:
        return Leave()
    return Maybe(f"verdict {code}")
