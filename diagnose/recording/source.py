"""The sources that `--from` names: a folder, an archive, or the demo that comes with the tool."""

import math
from pathlib import Path

from diagnose.recording import answer_files


def read(source: Path, ends: float = math.inf) -> answer_files.RecordedHost:
    """The recording in whatever lies at this path.

    ends: a moment on the monotonic clock; answers that were not read by then are Failed("budget").

    answer_files.RecordingError if it is not a recorded host.
    """
    place = _place(source)
    if place.is_dir():
        return answer_files.read_folder(place, ends)
    from diagnose.recording import archive

    return archive.read(place, ends)


def _place(source: Path) -> Path:
    """The folder or file that is meant.

    `demo`, unless there is one here, is the recorded broken host that comes with the tool.
    """
    if str(source) != "demo" or source.exists():
        return source
    package = Path(__file__).parents[1]
    return next(
        (path for path in (package / "demo", package.parent / "fixtures/demo") if path.is_dir()),
        source,
    )
