"""The check in checks/container/addresses/address_not_for_browsers.py."""

from __future__ import annotations

from typing import Any

import pytest

from tests.inspected import container, of
from tests.judging import judge


def on(network: str, **ports: Any) -> dict[str, Any]:
    settings = {"Networks": {network: {"IPAddress": "172.18.0.2"}}, "Ports": ports}
    return {"NetworkSettings": settings}


API = container("api", **on("shop", **{"8000/tcp": [{"HostIp": "0.0.0.0", "HostPort": "9000"}]}))
VARIABLES: dict[str, tuple[str, str, list[str]]] = {
    "Vite": ("VITE_API_URL=http://api:8000/v1", "shop", ["9000"]),
    "Next.js, WebSocket": ("NEXT_PUBLIC_WS=ws://api:8000", "shop", ["9000"]),
    "a port that is not published": ("REACT_APP_API=http://api:7000", "shop", [""]),
    "another network": ("VITE_API_URL=http://api:8000", "other", []),
    "a domain": ("VITE_API_URL=https://api.example.com", "shop", []),
    "a path": ("VITE_API_URL=/api", "shop", []),
    "of the server": ("API_URL=http://api:8000", "shop", []),
    "localhost": ("VITE_API_URL=http://localhost:8000", "shop", []),
    "nobody": ("VITE_API_URL=http://backend:8000", "shop", []),
    "itself": ("VITE_HOST=http://front:3000", "shop", []),
}


@pytest.mark.parametrize(("variable", "network", "ports"), VARIABLES.values(), ids=VARIABLES)
def test_variables(variable: str, network: str, ports: list[str]) -> None:
    front = container("front", Config={"Env": [variable]}, **on(network))
    findings = judge("container.address-not-for-browsers", containers=of(API, front)).findings
    assert [(finding.variables or {}).get("port", "") for finding in findings] == ports
