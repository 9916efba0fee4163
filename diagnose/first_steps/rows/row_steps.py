"""The page variables that a known failure's row gives for one container.

The row names the change (`diagnose/programs/failures/remedies.py`); here it is compared with the
container. A row whose remedy has nothing to change there gives none.
"""

from types import NoneType

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.engine.info import Info
from diagnose.first_steps.rows import row_folders, row_settings
from diagnose.first_steps.rows.row_case import RowCase, steps
from diagnose.model import PageVariables
from diagnose.programs.failures import Recognised, remedies

KINDS = (row_folders, row_settings)
"""The modules with the change of each kind of remedy."""
_OFFERED_ELSEWHERE = (NoneType, remedies.AtServer, remedies.OfRunning)
"""No remedy, or those of `server_steps` and `running_steps`."""
_OF_RUNNING = frozenset({"inside_change"})
_EITHER = "assignment"
"""A variable with another value: whether the program runs or not, its container is recreated."""


def row_steps(
    container: Container,
    failure: Recognised | None,
    containers: Containers | None,
    *,
    is_running: bool,
    info: Info | None = None,
) -> PageVariables:
    """The page variables that the row's own remedy fills; empty without one.

    is_running: the program continues, so that its data is not touched from outside. info: of the
    host that has the memory.
    """
    if failure is None or isinstance(failure.remedy, _OFFERED_ELSEWHERE):
        return {}
    memory = info.mem_total if info is not None else 0
    offered = steps(failure.remedy, RowCase(container, failure, containers, memory))
    is_for_running = bool(offered.keys() & _OF_RUNNING)
    return offered if is_running == is_for_running or _EITHER in offered else {}
