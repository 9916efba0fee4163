"""Page variables that give a container the present address of a pinned name."""

import re

from diagnose.evidence.dns.names.pinned_names import PinnedName
from diagnose.mappings import present
from diagnose.model import PageVariables


def rewriting_steps(pinned: PinnedName) -> PageVariables:
    """The page variables with the sed program that writes the present address into the mounted
    file."""
    if not pinned.present_address or not pinned.file or pinned.is_configured:
        return {}
    old = re.escape(pinned.address)
    return {"rewrite": f"s|^{old}[[:space:]]|{pinned.present_address} |", "mounted": pinned.file}


def pinned_name_steps(pinned: PinnedName) -> PageVariables:
    """The page variables of a start, at which the engine writes a new file, or of a container
    without the option.

    A mounted file is not changed. A single line that leads to no machine gets the present address.
    """
    container = pinned.container
    if pinned.is_configured:
        is_alone = len(container.host_config.extra_hosts or ()) == 1
        if is_alone and pinned.present_address:
            entry = f"{pinned.name}:{pinned.present_address}"
            return {"outdated": container.name, "entry": entry}
        return {"pinned": container.name}
    if not pinned.file:
        return {"edited": container.name}
    return present({"mounted_file": pinned.file, "shown_network": pinned.left_on})
