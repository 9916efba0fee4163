"""Files of a running program that belong to another user; and one that it may write."""

from __future__ import annotations

from tests.lab import Box, Engines, fault, healthy, images
from tests.lab.images import Recipe
from tests.lab.scenarios.everyday.helpers import first_command, typed
from tests.lab.scenarios.programs.helpers import GOOD, logs, run

ERRORS = "container.errors-in-log"
_PROGRAM = """
while :; do
  if echo x 2>/dev/null >>/app/events.log; then echo "INFO written"
  else echo "ERROR: could not open '/app/events.log': Permission denied"; fi
  sleep 1
done
"""


def _writer(box: Box, name: str, mode: int) -> None:
    image = f"{name}:1"
    images.load(box, image, Recipe({"app/events.log": (b"begun\n", mode)}))
    run(box, name, *GOOD, image, "sh", "-c", _PROGRAM)
    box.wait_for(lambda: logs(box, name).count("\n") > 4, what="the program to write")


@fault(ERRORS, subject="container:writer75", shareable=True, engines=Engines(since=23))
def file_of_root_in_the_image(box: Box) -> None:
    """The program runs as another user than the one to whom its file belongs; the command of the
    report gives it the file.

    Engine 20.10 asks for capabilities in `exec --privileged` that the lab's boxes do not have.
    """
    _writer(box, "writer75", 0o644)
    typed(box, first_command(box, ERRORS, "writer75"))
    box.wait_for(lambda: "INFO written" in logs(box, "writer75"), what="the file")
    box.docker("rm", "-f", "writer75")
    _writer(box, "writer75", 0o644)


@healthy(shareable=True)
def file_for_all_in_the_image(box: Box) -> None:
    """The same file with a mode for all."""
    _writer(box, "writer76", 0o666)
