"""The import of pyroute2, in the network process only."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

MODULES = (
    "pyroute2.netlink.marshal",
    "pyroute2.netlink.rtnl.marshal",
    "pyroute2.netlink.diag",
    "pyroute2.netlink.nfnetlink.nfctsocket",
    "pyroute2.netlink.nfnetlink.nftsocket",
    "pyroute2.netlink.nfnetlink.ipset",
)
"""What the network process needs, in an order that works without the package's own `__init__`."""


def load() -> None:
    """Import what is needed of pyroute2 before anybody imports the package.

    Its `__init__` imports every netlink family there is, 160 to 390 ms. The modules above take 93 ms behind an empty
    package. A release in which that fails is imported as usual.
    """
    found = importlib.util.find_spec("pyroute2")
    if found is None or found.submodule_search_locations is None:
        raise ModuleNotFoundError("pyroute2 is not installed", name="pyroute2")
    package = types.ModuleType("pyroute2")
    package.__path__ = list(found.submodule_search_locations)
    package.__spec__ = found
    sys.modules["pyroute2"] = package
    try:
        for module in MODULES:
            importlib.import_module(module)
    except ImportError:
        for name in [name for name in sys.modules if name.partition(".")[0] == "pyroute2"]:
            del sys.modules[name]
        importlib.import_module("pyroute2")
