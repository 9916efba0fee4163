"""The entry: `--version` is answered before anything is imported, all else by the command line."""

from __future__ import annotations

import gc
import os
import sys

TYPE_CHECKING = False  # typing's own would bring typing, a third of what --version takes
if TYPE_CHECKING:
    from typing import NoReturn


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    _stand_on_streams()
    if sys.argv[1:] == ["--version"]:
        from diagnose.version import __version__

        sys.stdout.write(f"diagnose {__version__}\n")
        sys.stdout.flush()
        os._exit(0)
    # A run is short and ends with the process: collections would walk every answer again and again,
    # a sixth of its time.
    gc.disable()
    import signal

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _quit)
    from diagnose import own_modules

    own_modules.find_quickly()
    from diagnose import limited_memory

    if limited_memory.is_limited():
        limited_memory.supervise()
    from diagnose import cli

    cli.main()


def _stand_on_streams() -> None:
    """Occupy the standard streams that the caller closed.

    What is opened next would take their numbers, and their place.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: PTH123, SIM115 - until the process ends


def _quit(*_: object) -> NoReturn:
    """Interrupted while nothing is known that could be reported.

    No traceback, and no exit code that means a finding.
    """
    os.write(2, b"interrupted\n")
    os._exit(3)


if __name__ == "__main__":
    main()
