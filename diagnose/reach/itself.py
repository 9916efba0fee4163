"""How this program is started once more, in a process of its own."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

_PACKAGES = str(Path(__file__).parents[2])


def launcher() -> Path | None:
    """The script that starts this tool from its folder.

    None where it was installed in another way.
    """
    script = Path(sys.prefix, "diagnose")
    is_folder = script.is_file() and Path(sys.prefix, "sbom.cdx.json").is_file()
    return script if is_folder else None


def program() -> tuple[str, ...]:
    """The words of the command line before the program's own arguments.

    The folder's Python does not start without the loader beside it, so its launcher is run.
    """
    of_folder = launcher()
    if of_folder is not None:
        return (str(of_folder),)
    return (sys.executable, "-P", "-m", "diagnose")


def environment() -> Mapping[str, str]:
    """The environment in which the tool is imported from where this one was; never from the current
    folder."""
    paths = os.pathsep.join([_PACKAGES, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "PYTHONPATH": paths}
