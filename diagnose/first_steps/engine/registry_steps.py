"""Page variables that ask a registry, and that take a mirror away."""

import json

from diagnose.evidence.engine.config import DaemonConfig
from diagnose.evidence.engine.info import Info
from diagnose.evidence.images.pulls.pulls import PullTrouble
from diagnose.evidence.images.pulls.registry_names import HUB_HOST
from diagnose.evidence.network.calls.called_places import place_in
from diagnose.model import PageVariables

HUB_LAYERS = "production.cloudflare.docker.com"
"""The server from which engines get the layers of Docker Hub."""


def called_server(trouble: PullTrouble) -> PageVariables | None:
    """The page variables of the server that the engine called, where the log names no registry."""
    place, port = place_in(trouble.text)
    is_named = bool(trouble.registry or trouble.image)
    return None if is_named or not port else {"dialled": place, "port": str(port)}


def asked_registry(trouble: PullTrouble, info: Info | None) -> PageVariables | None:
    """The page variables of a registry that the engine may call without TLS; None of any other."""
    config = info.registry_config if info is not None else None
    if config is None or not (trouble.registry or trouble.image):
        return None
    index = (config.index_configs or {}).get(trouble.host)
    if index is None or index.secure:
        return None
    return {"registry": trouble.host, "plain": trouble.host}


def hub_store(trouble: PullTrouble) -> PageVariables:
    """The page variable with the server of Docker Hub's layers; empty for another registry."""
    return {"hub_layers": HUB_LAYERS} if trouble.host == HUB_HOST else {}


def without_mirror(mirror: str, config: DaemonConfig | None) -> PageVariables:
    """The page variables that remove a mirror from the engine's file; empty where the file has
    none."""
    mirrors = config.in_file("registry-mirrors") if config is not None else None
    if not isinstance(mirrors, list):
        return {}
    other_mirrors = [other for other in mirrors if str(other).rstrip("/") != mirror.rstrip("/")]
    if other_mirrors == mirrors:
        return {}
    return {"mirrors_json": json.dumps({"registry-mirrors": other_mirrors or None})}
