"""The Python packages without which a run on a host would tell nothing but its own defects."""

import importlib.util

from diagnose import limited_memory
from diagnose.phrases import joined

LATE_PACKAGES = ("docker", "httptools", "psutil", "pyroute2")
"""What a run imports only where a question needs it. A package that is not there would look like an
engine or a kernel that does not answer."""
PARSER = "httptools"
"""The one that each question to a local engine needs, built for one Python and one processor."""


def why_incomplete() -> str:
    """The packages that this installation lacks and the command that mends it, as a sentence; ""
    if none is missing."""
    missing = [name for name in LATE_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return (
            f"this installation is incomplete: there is no Python package {joined(missing)}. "
            "Install the tool again"
        )
    try:
        importlib.import_module(PARSER)
    except Exception as error:
        if limited_memory.is_refusal(error):
            raise
        return (
            f"this installation is incomplete: the Python package {PARSER} cannot be loaded "
            f"({error}). Install the tool again, with the Python that runs it"
        )
    return ""
