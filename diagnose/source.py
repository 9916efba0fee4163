"""What `--from` names: a folder, an archive, or the demo that comes with the tool."""

from __future__ import annotations

from pathlib import Path

from diagnose import tape
from diagnose.host import Question
from diagnose.model import Json
from diagnose.recorder import Entry


def read(source: Path) -> tuple[dict[Question, Entry], dict[str, Json]]:
    """The tape and the manifest of whatever lies at this path. tape.TapeError if it is no recorded host."""
    place = _place(source)
    if place.is_dir():
        return tape.read_folder(place)
    from diagnose.ticket import archive

    return archive.read(place)


def _place(source: Path) -> Path:
    """The folder or file that is meant: `demo`, unless there is one here, is the recorded broken host that comes with the tool."""
    if str(source) != "demo" or source.exists():
        return source
    package = Path(__file__).parent
    return next((path for path in (package / "demo", package.parent / "fixtures/demo") if path.is_dir()), source)
