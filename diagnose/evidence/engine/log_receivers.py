"""Servers to which containers send log lines, where only those servers can report a loss."""

import json
from typing import Any

import msgspec

from diagnose.evidence.engine.data_root import DataRoot
from diagnose.evidence.engine.stuck_containers import StuckContainers
from diagnose.model import Failed
from diagnose.questions import Host
from diagnose.questions.files import ReadFile
from diagnose.registry import evidence

MOST = 3
"""Containers that are looked up."""
_ADDRESSES = {
    "fluentd": "fluentd-address",
    "gelf": "gelf-address",
    "splunk": "splunk-url",
    "syslog": "syslog-address",
}
"""Drivers that send lines to a server of the user's own, and the option with its address."""


class LogReceiver(msgspec.Struct, frozen=True):
    """The server that takes the lines of a container."""

    driver: str
    address: str


class LogReceivers(msgspec.Struct, frozen=True):
    """The log receivers of containers whose inspect timed out, by the container's name."""

    by_name: dict[str, LogReceiver]


@evidence
def log_receivers(host: Host, stuck_containers: StuckContainers, root: DataRoot) -> LogReceivers:
    """The engine keeps the lock of a container that it cannot stop; its settings are on disk."""
    receivers = {}
    for stuck in host.first(list(stuck_containers), MOST, "containers that the engine holds"):
        if not stuck.id:
            continue
        answer = host.ask(ReadFile(f"{root.path}/containers/{stuck.id}/hostconfig.json"))
        receiver = None if isinstance(answer, Failed) else _receiver(answer.text)
        if receiver is not None:
            receivers[stuck.name] = receiver
    return LogReceivers(receivers)


def _receiver(text: str) -> LogReceiver | None:
    try:
        written: Any = json.loads(text)["LogConfig"]
        driver = written["Type"]
        address = written["Config"][_ADDRESSES[driver]]
    except (ValueError, KeyError, TypeError):
        return None
    return LogReceiver(driver, address) if isinstance(address, str) else None
