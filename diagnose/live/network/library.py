"""The import of pyroute2, in the network process only."""

import importlib
import importlib.util
import sys
import types
from collections.abc import Iterable

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

UNUSED = {"multiprocessing": ("Pipe", "Process", "Queue")}
"""What `pyroute2.config` names for those sockets. It takes 3 ms, a tenth of the whole import."""


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
    unused = [_put_empty(*module) for module in UNUSED.items() if module[0] not in sys.modules]
    try:
        marshal = importlib.import_module("pyroute2.netlink.marshal")
        for module in PASSED_OVER.items():
            _put_empty(*module).Marshal = marshal.Marshal  # type: ignore[attr-defined]
        for name in MODULES:
            importlib.import_module(name)
    except Exception:  # noqa: BLE001 - whatever another release is like
        for name in [name for name in sys.modules if name.partition(".")[0] == "pyroute2"]:
            del sys.modules[name]
        _remove(unused)
        importlib.import_module("pyroute2")
    _remove(unused)


def _put_empty(name: str, classes: Iterable[str]) -> types.ModuleType:
    """A module of this name in the place of a real one, with empty classes."""
    module = sys.modules[name] = types.ModuleType(name)
    vars(module).update({kind: type(kind, (), {}) for kind in classes})
    return module


def _remove(modules: Iterable[types.ModuleType]) -> None:
    """Leave the real modules of these names to whoever imports them next."""
    for module in modules:
        if sys.modules.get(module.__name__) is module:
            del sys.modules[module.__name__]
