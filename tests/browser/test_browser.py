"""Real Chromium opens the HTML of recorded hosts. Needs Debian's chromium, node, and `npm install
puppeteer-core axe-core` in the folder that DIAGNOSE_NODE_MODULES names; skipped otherwise. Run
nightly.

No packet leaves: the pages are files, and the browser resolves no name.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from diagnose.judgement.exit_codes import code_of
from diagnose.render.html import page
from diagnose.render.outlines.outline import outline
from tests.render.test_html import EVIL, RECORDED, hostile, judged

SCRIPT = Path(__file__).with_name("open.mjs")
MODULES = os.environ.get("DIAGNOSE_NODE_MODULES", "")
MISSING = [name for name in ("chromium", "node") if shutil.which(name) is None]
if MODULES and Path(MODULES, "axe-core").is_dir():
    MISSING += []
else:
    MISSING += ["puppeteer-core and axe-core (DIAGNOSE_NODE_MODULES)"]

pytestmark = [
    pytest.mark.skipif(
        bool(MISSING), reason=f"no browser to open pages with: {', '.join(MISSING)} missing"
    ),
    pytest.mark.timeout(600),
]


def opened(folder: Path, texts: dict[str, str]) -> list[dict[str, Any]]:
    """What a browser met on each page at both widths."""
    files = []
    for name, text in texts.items():
        files.append(folder / f"{name}.html")
        files[-1].write_text(text)
    pictures = os.environ.get("DIAGNOSE_PICTURES", "-")
    argv = [
        "node",
        str(SCRIPT),
        shutil.which("chromium") or "",
        MODULES,
        pictures,
        *map(str, files),
    ]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=580, check=False)
    assert done.returncode == 0, done.stderr
    met: list[dict[str, Any]] = json.loads(done.stdout)
    assert len(met) == 2 * len(texts)
    return met


def sound(met: dict[str, Any]) -> None:
    assert met["requests"] == []
    assert met["console"] == []
    assert met["dialogs"] == 0
    assert met["overflow"] <= 0
    assert [fault for fault in met["axe"] if fault["impact"] in ("serious", "critical")] == []


@pytest.mark.parametrize("folder", RECORDED, ids=lambda folder: folder.name)
def test_a_recorded_host(folder: Path, tmp_path: Path) -> None:
    what = judged(folder)
    code = code_of(what, "warning")
    for met in opened(tmp_path, {folder.name: page.text(what, code)}):
        sound(met)
        shown = " ".join(met["text"].split())
        for block in outline(what, code).blocks:
            assert block.id in shown
            assert block.cure is None or " ".join(block.cure.text.split()) in shown


def test_markup_in_names_does_nothing(tmp_path: Path) -> None:
    for met in opened(tmp_path, {"hostile": page.text(hostile(), 2)}):
        sound(met)
        assert EVIL in met["text"]


def test_the_instruments_see_faults(tmp_path: Path) -> None:
    """A page with a request, a script's message, an unnamed picture and faint text."""
    bad = (
        '<!doctype html><html><head><title>t</title></head><body><main><h1>h</h1><img src="http://192.0.2.9/x.png">'
        '<p style="color:#ccc;background:#fff">faint</p><script>console.log("ran")</script></main></body></html>'
    )
    for met in opened(tmp_path, {"bad": bad}):
        assert set(met["requests"]) == {"http://192.0.2.9/x.png"}
        assert "ran" in met["console"]
        assert {"color-contrast", "image-alt"} <= {fault["id"] for fault in met["axe"]}
