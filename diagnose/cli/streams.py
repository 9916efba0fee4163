"""Standard output and standard error: their encoding, and what happens when nobody reads them."""

import io
import os
import signal
import sys
from pathlib import Path
from typing import NoReturn, cast


class Stream(io.TextIOWrapper):
    """A stream that ends the process as a filter ends when its reader is gone, by SIGPIPE.

    The signal itself is ignored: a socket whose other side has closed it would raise it as well,
    and end a run in silence. So an engine that restarts, or a proxy before it, did.
    """

    def write(self, text: str, /) -> int:
        """Write, and end the tool where the reader is gone."""
        try:
            return super().write(text)
        except BrokenPipeError:
            end_with_reader()

    def flush(self) -> None:
        """Flush, and end the tool where the reader is gone."""
        try:
            super().flush()
        except BrokenPipeError:
            end_with_reader()


def end_with_reader() -> NoReturn:
    """End the process by SIGPIPE, as `yes | head` does."""
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGPIPE})
    try:
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        signal.raise_signal(signal.SIGPIPE)
    except ValueError:  # another thread than the first one
        pass
    os._exit(128 + signal.SIGPIPE)


def open_streams() -> None:
    """Give stdout and stderr a place and an encoding.

    The number of a stream that the caller closed must not go to a file or a socket that is opened
    next. `shutil.get_terminal_size` asks the streams that Python began with.
    """
    sys.stdout = _reopened_stream(cast("io.TextIOWrapper | None", sys.stdout))
    sys.stderr = _reopened_stream(cast("io.TextIOWrapper | None", sys.stderr))
    sys.__stdout__, sys.__stderr__ = sys.stdout, sys.stderr  # type: ignore[misc]


def _reopened_stream(stream: io.TextIOWrapper | None) -> Stream:
    """The stream as UTF-8 that takes any name; one that was closed writes to nowhere."""
    line_buffering = stream is not None and stream.line_buffering
    write_through = stream is not None and stream.write_through
    buffer = Path(os.devnull).open("wb") if stream is None else stream.detach()  # noqa: SIM115
    return Stream(
        buffer,
        encoding="utf-8",
        errors="replace",
        line_buffering=line_buffering,
        write_through=write_through,
    )
