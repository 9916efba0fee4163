"""What an image says of a module or a command that a program of Node.js misses."""

from __future__ import annotations

import json
from typing import Any

import pytest

from diagnose.evidence.containers.programs.missing_modules import missing_modules
from diagnose.model import Failed
from tests.checks.container.evidence import failed_with_log
from tests.hosts import Made
from tests.inspected import bind, of

SHOP: dict[str, Any] = {
    "Config": {"WorkingDir": "/shop", "Image": "shop:2"},
    "Image": "sha256:5f2b",
}
MANIFEST = json.dumps(
    {
        "scripts": {"dev": "cross-env MODE=dev next dev", "start": "next start"},
        "dependencies": {"next": "15"},
        "devDependencies": {"cross-env": "7", "dotenv": "16", "@nestjs/cli": "10"},
    }
)
COMMANDS = {
    "a command of a script": ("sh: 1: cross-env: not found", MANIFEST, 'script "dev" calls'),
    "a command of another name": ("sh: nest: not found", MANIFEST, "nest is among"),
    "a module": ("Error: Cannot find module 'dotenv/config'", MANIFEST, "dotenv/config is among"),
    "a dependency of production": ("sh: next: not found", MANIFEST, ""),
    "another command": ("sh: psql: not found", MANIFEST, ""),
    "no manifest that can be read": ("sh: 1: cross-env: not found", "{", ""),
    "a manifest in another code": ("sh: nest: not found", '{"scripts": {"dev": "\xff"}}', ""),
    "a manifest without an end": ("sh: nest: not found", '{"x": ' + "[" * 100_000, ""),
}


@pytest.mark.parametrize(("line", "manifest", "says"), COMMANDS.values(), ids=COMMANDS)
def test_a_package_for_development(line: str, manifest: str, says: str) -> None:
    container, log_tails = failed_with_log(line, **SHOP)
    host = Made({"api.archive": {"type": "file", "hex": manifest.encode("latin-1").hex()}})
    missing = missing_modules(host, of(container), log_tails).of(container)
    assert (missing.clause if missing else "").find(says) >= 0
    assert (missing is None) is (says == "")


COPIES = {"Id": "sha256:5f2b", "Config": {"OnBuild": ["COPY . /shop", "RUN npm install"]}}
TEMPLATES: dict[str, tuple[dict[str, Any], Any, bool]] = {
    "instructions for later builds": ({}, COPIES, True),
    "none of them copies": ({}, {"Id": "sha256:5f2b", "Config": {"OnBuild": ["RUN x"]}}, False),
    "no instructions": ({}, {"Id": "sha256:5f2b", "Config": {}}, False),
    "the image is gone": ({}, Failed("gone", "no such image"), False),
    "a mount over it": (bind("/srv/shop", Destination="/shop"), COPIES, False),
}


@pytest.mark.parametrize(("parts", "image", "found"), TEMPLATES.values(), ids=TEMPLATES)
def test_a_program_that_later_builds_get(parts: dict[str, Any], image: Any, found: bool) -> None:
    line = "Error: Cannot find module '/shop/index'"
    container, log_tails = failed_with_log(line, **{**SHOP, **parts})
    missing = missing_modules(Made({"api.image": image}), of(container), log_tails).of(container)
    assert (missing is not None) is found
    assert missing is None or "(COPY . /shop) run only in a build FROM it" in missing.clause


OWN_FILES = {
    "the file that it runs": (
        "python3: can't open file '/shop/app.py': [Errno 2] No such file or directory",
        ["python3", "app.py"],
        True,
    ),
    "a file of its own that its program asks for": (
        "FileNotFoundError: [Errno 2] No such file or directory: '/shop/rates.csv'",
        ["python3", "app.py"],
        False,
    ),
    "another complaint": ("SyntaxError in app.py: invalid syntax", ["python3", "app.py"], False),
}


@pytest.mark.parametrize(("line", "command", "found"), OWN_FILES.values(), ids=OWN_FILES)
def test_a_file_that_later_builds_get(line: str, command: list[str], found: bool) -> None:
    parts = {"Config": {**SHOP["Config"], "Cmd": command}, "Image": SHOP["Image"]}
    container, log_tails = failed_with_log(line, **parts)
    missing = missing_modules(Made({"api.image": COPIES}), of(container), log_tails).of(container)
    assert (missing is not None) is found
    assert missing is None or missing.name == "/shop/app.py"
