"""Programs whose pages redirect to themselves, because an nginx does not report HTTPS."""

from collections.abc import Iterator

from diagnose.evidence.containers.listing import Containers
from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.items import ByContainer
from diagnose.evidence.machine.processes import Processes
from diagnose.evidence.network.proxies.nginx.untold_programs import UntoldProgram, causes_of
from diagnose.evidence.network.proxies.nginx.web_symptoms import Symptom
from diagnose.evidence.network.proxies.pages.answered_loops import AnsweredLoops
from diagnose.evidence.network.proxies.pages.redirect_loops import RedirectLoops
from diagnose.questions import Host
from diagnose.registry import evidence


class LoopedPrograms(ByContainer[UntoldProgram], frozen=True):
    """The location of the nginx that is the cause, by the id of the container that leads back."""


@evidence
def looped_programs(
    host: Host,
    containers: Containers,
    recent_logs: RecentLogs,
    processes: Processes,
    redirect_loops: RedirectLoops | None,
    answered_loops: AnsweredLoops | None,
) -> LoopedPrograms:
    """The configuration of an nginx is read only where a page leads to itself."""
    shown = list(_symptoms(redirect_loops, answered_loops))
    causes = causes_of(host, shown, containers, recent_logs, processes)
    return LoopedPrograms(
        {symptom.container.id: program for symptom, program in causes if program is not None}
    )


def _symptoms(logged: RedirectLoops | None, answered: AnsweredLoops | None) -> Iterator[Symptom]:
    """Loops that a log shows, and those that a request of ours met."""
    for loop in logged or ():
        path = loop.request.partition(" ")[2].partition("?")[0]
        yield Symptom("loop", loop.container, loop.line, path, loop.times)
    for reply in answered or ():
        if not reply.is_possible:
            yield Symptom("loop", reply.page.container, reply.location, reply.page.reply.path, 1)
