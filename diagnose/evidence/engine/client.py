"""The docker command of the user who runs this tool."""

from diagnose.model import Unavailable
from diagnose.questions import Host
from diagnose.questions.endpoint import (
    BrokenHelper,
    BrokenPlugin,
    CallerLogins,
    ClientProxy,
    ClientSettings,
    ClosedSettings,
    ReadClientSettings,
    UnreadStore,
)
from diagnose.registry import evidence

__all__ = [
    "BrokenHelper",
    "BrokenPlugin",
    "CallerLogins",
    "ClientProxy",
    "ClientSettings",
    "ClosedSettings",
    "UnreadStore",
    "client_settings",
]


@evidence
def client_settings(host: Host) -> ClientSettings | Unavailable:
    """The docker command's configuration and plugins, as this user has them."""
    return host.require(ReadClientSettings())
