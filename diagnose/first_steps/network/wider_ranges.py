"""Which command adds a network to a list of addresses that leaves it out."""

import re

from diagnose.evidence.containers.settings.changed_words import with_entry, with_value
from diagnose.evidence.network.calls.narrow_ranges import PERMIT_DOCKER, NarrowRange
from diagnose.model import PageVariables


def wider_range(narrow: NarrowRange) -> PageVariables:
    """The page variables with the changed variable, or with the edit of the line in the file."""
    name, subnet = narrow.list.name, narrow.subnet
    if narrow.place.is_variable:
        if name == PERMIT_DOCKER:
            return with_value(narrow.container, name, "connected-networks")
        return with_entry(narrow.container, [name], subnet)
    edit = _edit(narrow)
    if not narrow.place.path or not edit:
        return {"listed": name, "subnet": subnet}
    if narrow.place.on_host:
        return {"edit": edit, "list_file": narrow.place.on_host}
    return {"edit": edit, "list_inside": narrow.place.path}


def _edit(narrow: NarrowRange) -> str:
    """The command of sed for the list's last line; "" where the form is not known."""
    addresses = narrow.list
    if not addresses.line:
        return ""
    last = addresses.entries[-1]
    old = re.sub(r"([.\[\]*^$|\\])", r"\\\1", last)
    if addresses.is_copied:
        return f"{addresses.line}{{p;s|{old}|{narrow.subnet}|}}"
    if addresses.separator is not None:
        return f"{addresses.line}s|{old}|&{addresses.separator}{narrow.subnet}|"
    return ""
