"""The entry: `--version` is answered before anything is imported, all else by the command line."""

from __future__ import annotations

import gc
import sys


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    if sys.argv[1:] == ["--version"]:
        from diagnose.version import __version__

        sys.stdout.write(f"diagnose {__version__}\n")
        return
    # A run is short and ends with the process: collections would walk every answer again and again, a sixth of its time.
    gc.disable()
    from diagnose import cli

    cli.main()


if __name__ == "__main__":
    main()
