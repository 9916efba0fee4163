"""The import of pyroute2, in the network process only."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types

MODULES = (
    "pyroute2.netlink.rtnl.ifinfmsg",
    "pyroute2.netlink.rtnl.ifaddrmsg",
    "pyroute2.netlink.rtnl.rtmsg",
    "pyroute2.netlink.rtnl.fibmsg",
    "pyroute2.netlink.rtnl.ndmsg",
    "pyroute2.netlink.diag",
    "pyroute2.netlink.nfnetlink.nfctsocket",
    "pyroute2.netlink.nfnetlink.nftsocket",
    "pyroute2.netlink.nfnetlink.ipset",
)
"""Where the messages are that the network process needs."""

PASSED_OVER = {
    "pyroute2.netlink.nlsocket": ("NetlinkSocket", "AsyncNetlinkSocket"),
    "pyroute2.netlink.core": ("SyncAPI",),
}
"""Modules with pyroute2's own sockets, which bring asyncio, and the names that the modules above
take from them."""


def load() -> None:
    """Import what is needed of pyroute2 before anybody imports the package.

    Its `__init__` imports every netlink family there is. The messages alone cost a fifth: they are
    imported behind an empty package, with empty classes for its sockets. A release in which that
    fails is imported as usual.
    """
    spec = importlib.util.find_spec("pyroute2")
    if spec is None or spec.submodule_search_locations is None:
        raise ModuleNotFoundError("pyroute2 is not installed", name="pyroute2")
    package = types.ModuleType("pyroute2")
    package.__path__ = list(spec.submodule_search_locations)
    package.__spec__ = spec
    sys.modules["pyroute2"] = package
    try:
        marshal = importlib.import_module("pyroute2.netlink.marshal")
        for name, classes in PASSED_OVER.items():
            sockets = {name: type(name, (), {}) for name in classes}
            sys.modules[name] = types.ModuleType(name)
            vars(sys.modules[name]).update(sockets, Marshal=marshal.Marshal)
        for name in MODULES:
            importlib.import_module(name)
    except Exception:  # noqa: BLE001 - whatever another release is like
        for name in [name for name in sys.modules if name.partition(".")[0] == "pyroute2"]:
            del sys.modules[name]
        importlib.import_module("pyroute2")
