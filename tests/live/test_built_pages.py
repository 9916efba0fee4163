"""The search in the code of built pages."""

from pathlib import Path
from typing import Any

from diagnose.live.disk.built_pages import built_pages


def _searched(root: Path, *texts: str) -> Any:
    args: Any = {"root": str(root), "folders": ["/app/dist", "/gone"], "texts": list(texts)}
    return built_pages(args)


def test_texts_of_pages(tmp_path: Path) -> None:
    dist = tmp_path / "app/dist"
    (dist / "assets").mkdir(parents=True)
    (dist / "node_modules").mkdir()
    (dist / "assets/index.js").write_text('a("http://localhost:8000/v1");b("https://x.lab.test")')
    (dist / "logo.svg").write_text("needle")
    (dist / "node_modules/a.js").write_text("needle")
    answer = _searched(tmp_path, "https://x.lab.test", "needle")
    assert answer["texts"] == ["https://x.lab.test"]
    assert answer["local"] == ["http://localhost:8000"]
    assert answer["files"] == 1
    assert answer["newest"] > 0
    assert answer["is_complete"]


def test_links_lead_to_nothing_of_the_host(tmp_path: Path) -> None:
    root, secret = tmp_path / "root", tmp_path / "secret"
    for folder in (root / "app", secret):
        folder.mkdir(parents=True)
    (secret / "a.js").write_text("needle")
    (root / "app/dist").symlink_to(secret)
    assert _searched(root, "needle")["files"] == 0
