"""What a run on a host needs before it asks anything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from diagnose import session

ROOT = Path(__file__).parent.parent


def test_a_package_that_cannot_be_loaded_is_no_dead_engine(tmp_path: Path) -> None:
    folder = tmp_path / session.PARSER
    folder.mkdir()
    (folder / "__init__.py").write_text("raise ImportError('parser.so: wrong ELF class')")
    done = subprocess.run(
        [sys.executable, "-m", "diagnose", "check", "daemon.not-running"],
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
        cwd=ROOT, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 3
    assert "httptools cannot be loaded (parser.so: wrong ELF class)" in done.stderr
    assert done.stdout == ""
