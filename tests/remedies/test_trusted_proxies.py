"""The command that makes Home Assistant trust a proxy writes settings that its reader can read."""

from __future__ import annotations

import re
import subprocess
from typing import Any

import pytest
import yaml

from diagnose.runbooks.files import text

_PROGRAM = re.compile(r"awk -v proxy=\{trusted\} '(?P<program>[^']+)' \{trusting_file\}")
_NETWORK = "172.26.0.0/24"
BESIDE = "logger:\n  default: info\n"
SETTINGS = {
    "no section": "default_config:\n",
    "no end of the last line": "default_config:",
    "an empty section": f"http:\n\n{BESIDE}",
    "other keys, further in": f"http:\n    ssl_certificate: /ssl/a\n    ssl_key: /ssl/b\n\n{BESIDE}",
    "switched off": f"http:\n  use_x_forwarded_for: false\n{BESIDE}",
    "a list": "http:\n  use_x_forwarded_for: true\n  trusted_proxies:\n    - 172.20.0.0/24\n",
    "a list without indent": (
        f"http:\n  trusted_proxies:\n  - 10.0.0.1\n  - ::1\n  ip_ban_enabled: true\n{BESIDE}"
    ),
    "an empty list": f"http:\n  trusted_proxies:\n  ip_ban_enabled: true\n{BESIDE}",
    "comments": f"http: # web\n  # of nginx\n  trusted_proxies: # list\n    - ::1 # me\n{BESIDE}",
    "another list before it": (
        "http:\n  cors_allowed_origins:\n    - https://x\n  trusted_proxies:\n    - 10.0.0.1\n"
    ),
}
UNCHANGED = {
    "a list in one line": "http:\n  trusted_proxies: [10.0.0.1]\n",
    "another file": "http: !include http.yaml\n",
}


def _edited(settings: str) -> subprocess.CompletedProcess[str]:
    found = _PROGRAM.search(text("container.errors-in-log"))
    assert found is not None
    command = ["awk", "-v", f"proxy={_NETWORK}", found["program"]]
    return subprocess.run(command, input=settings, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("settings", SETTINGS.values(), ids=SETTINGS)
def test_the_network_is_in_the_list(settings: str) -> None:
    edited = _edited(settings)
    before: dict[str, Any] = yaml.safe_load(settings)
    after: dict[str, Any] = yaml.safe_load(edited.stdout)
    assert edited.returncode == 0
    web = before.get("http") or {}
    listed = web.get("trusted_proxies") or []
    trust = {"use_x_forwarded_for": True, "trusted_proxies": [_NETWORK, *listed]}
    assert after == {**before, "http": {**web, **trust}}


@pytest.mark.parametrize("settings", UNCHANGED.values(), ids=UNCHANGED)
def test_what_it_does_not_understand_is_not_written(settings: str) -> None:
    assert _edited(settings).returncode == 1
