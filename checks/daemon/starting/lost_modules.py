"""The finding about a failed start for which modules of the kernel are gone."""

from diagnose.evidence.engine.starting.failed_start import FailedStart
from diagnose.evidence.machine.modules import Modules
from diagnose.model import DAEMON, HOST, Finding


def lost_modules_finding(start: FailedStart, modules: Modules, effect: str) -> Finding:
    """The finding about a failed start for which modules of the kernel are gone.

    effect: its effect, in words.
    """
    return Finding(
        subject=DAEMON,
        summary=f"{effect}: {modules.loss}",
        evidence={**start.evidence, **modules.evidence},
        variables=start.variables | {"release": modules.release},
        touches=(HOST,),
    )
