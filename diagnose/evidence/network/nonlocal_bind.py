"""Whether programs may listen on addresses that the host does not have.

Stand-by machines of a floating address do.
"""

import msgspec

from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.machine import ReadSysctls
from diagnose.registry import evidence

_NAME = "net.ipv4.ip_nonlocal_bind"


class NonlocalBind(msgspec.Struct, frozen=True):
    """The kernel setting `net.ipv4.ip_nonlocal_bind`."""

    allowed: bool


@evidence
def nonlocal_bind(host: Host) -> NonlocalBind | Unavailable:
    """The sysctl ip_nonlocal_bind, which everyone may read."""
    answer = host.require(ReadSysctls([_NAME]))
    return NonlocalBind(answer.get(_NAME) == "1")
