"""Modules of the kernel."""

import functools
import os
from pathlib import Path


@functools.cache
def is_loaded(module: str) -> bool:
    """Whether this kernel module is loaded or built in.

    To ask for what it answers would load it otherwise.
    """
    try:
        modules = Path("/proc/modules").read_text()
    except FileNotFoundError:
        return True  # a kernel without modules: nothing can be loaded by asking
    if any(line.startswith(f"{module} ") for line in modules.splitlines()):
        return True
    try:
        return (
            f"/{module}.ko"
            in Path(f"/lib/modules/{os.uname().release}/modules.builtin").read_text()
        )
    except FileNotFoundError:
        return False
