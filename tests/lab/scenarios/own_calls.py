"""Programs that call localhost where nobody tells them otherwise, and mean a neighbour."""

from __future__ import annotations

from tests.lab import Box, fault
from tests.lab.runner import PATIENT

LIMITS = ("--memory=64m", "--pids-limit=64", "--network=flow")
_WAITS = """
for try in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    nc -w 1 127.0.0.1 8080 </dev/null && exec sleep 1000
    sleep 0.2
done
echo 'the server did not come up in time' >&2
exit 1
"""


def _project(service: str) -> tuple[str, ...]:
    label = "--label=com.docker.compose"
    return (f"{label}.project=flow", f"{label}.service={service}", f"--name=flow-{service}-1")


@fault("container.restart-loop", subject="container:flow-worker-1")
def a_program_that_waits_for_itself(box: Box) -> None:
    """It waits for the web server of its project, and was not told where that is."""
    box.docker("network", "create", "flow")
    box.docker("run", "-d", *_project("web"), *LIMITS, "--publish=8090:8080", "shop:1.4")
    waits = ("--restart=always", "bb:1.36", "sh", "-c", _WAITS)
    box.docker("run", "-d", *_project("worker"), *LIMITS, *waits)
    box.wait_for(lambda: box.inspect("flow-worker-1")["RestartCount"] >= 3, what="the loop")

    def explained() -> bool:
        out = box.diagnose("check", "container.restart-loop", *PATIENT).out
        shown = " ".join(out.split())
        return (
            "which is its own container, and is refused" in shown
            and "If it means flow-web-1" in shown
        )

    box.wait_for(explained, what="what it calls")
