"""Files of images below empty folders."""

from pathlib import Path
from typing import Any

from diagnose.live.disk.hidden_files import hidden_files


def _found(source: Path, *layers: Path) -> list[str]:
    place = {"source": str(source), "target": "/app", "layers": [str(layer) for layer in layers]}
    answer: Any = hidden_files({"places": [place]})  # type: ignore[dict-item]
    return [name for folder in answer for name in folder["files"]]


def test_files_of_a_program(tmp_path: Path) -> None:
    source, lower, upper = (tmp_path / name for name in ("source", "lower", "upper"))
    for folder in (source, lower / "app/lib", upper / "app"):
        folder.mkdir(parents=True)
    for name in ("main.js", "notes.txt", "lib/a.jar", "lib/b.conf"):
        (lower / "app" / name).touch()
    (upper / "app" / "start.py").touch()
    assert _found(source, upper, lower) == ["start.py", "main.js", "lib/a.jar"]
    (upper / "app" / "main.js").mkdir()
    assert _found(source, upper, lower) == ["start.py", "lib/a.jar"]
    (source / ".keep").touch()
    assert _found(source, upper, lower) == []
    assert _found(tmp_path / "gone", upper, lower) == []


def test_links_of_an_image_lead_to_nothing_of_the_host(tmp_path: Path) -> None:
    source, layer, secret = (tmp_path / name for name in ("source", "layer", "secret"))
    for folder in (source, layer, secret):
        folder.mkdir()
    (secret / "a.py").touch()
    (layer / "app").symlink_to(secret)
    assert _found(source, layer) == []
