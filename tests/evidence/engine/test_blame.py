"""The key of daemon.json to which the last words of a start object."""

from __future__ import annotations

import pytest

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.daemon_json.blame import blamed_key

VALUES = {
    "live-restore": True,
    "storage-driver": "overlay2",
    "storage-opts": ["overlay2.size=20G"],
    "authorization-plugins": ["opa-docker-authz"],
    "group": "docker",
    "tlscacert": "/etc/docker/ca.pem",
    "log-driver": "json-file",
}
CASES = {
    "an option": (
        "--live-restore daemon configuration is incompatible with swarm mode",
        "live-restore",
    ),
    "a value in a list": (
        'failed to validate authorization plugin: plugin "opa-docker-authz" not found',
        "authorization-plugins",
    ),
    "the longer of two values": (
        "Storage Option overlay2.size only supported for backingFS XFS. Found extfs: overlay2",
        "storage-opts",
    ),
    "a word that stands in many lines": ("cannot look up the group of this process", ""),
    "what protects the engine": ('could not read CA certificate "/etc/docker/ca.pem"', ""),
    "nothing of the file": ("error initializing network controller: iptables failed", ""),
    "no words": ("", ""),
}


@pytest.mark.parametrize("name", CASES)
def test_the_key_that_the_words_name(name: str):
    text, key = CASES[name]
    assert (
        blamed_key(DaemonConfig("/etc/docker/daemon.json", exists=True, values=VALUES), text) == key
    )


def test_without_a_file_no_key_is_named():
    assert blamed_key(None, "live-restore") == ""
