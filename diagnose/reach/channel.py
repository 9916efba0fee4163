"""The system's ssh as three streams, each wait with a deadline."""

import os
import selectors
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from diagnose.mappings import assignments

CHUNK = 1 << 16
ERRORS_KEPT = 1 << 16
"""Bytes of stderr that are kept, the last ones."""
LONGEST_LINE = 64 * 1024
"""Bytes of one line of the conversation: a word, a path and a reason are far shorter."""
LARGEST_REPORT = 128 * 2**20
"""Bytes of a report or a bundle: what is larger was made to hurt."""
LINGER_S = 0.5
"""Seconds that stderr may outlive the command."""

CONNECT_S = 15.0
"""Seconds for a connection, where ssh's configuration has no ConnectTimeout."""
ALIVE = ("-o", "ServerAliveInterval=5", "-o", "ServerAliveCountMax=3")
"""Notices within 15 s that the other side is gone, where ssh's configuration says nothing of it."""


class LostError(Exception):
    """The connection ended, or nothing came in time; one phrase says which."""


class Channel:
    """A command whose stdin and stdout are spoken with in turns, while its stderr is kept.

    on_prompt: what stderr may show to ask for a line of input, and who answers it. The answer is
    sent on stdin.
    """

    def __init__(
        self, command: list[str], on_prompt: tuple[bytes, Callable[[], bytes]] | None = None
    ) -> None:
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        self._on_prompt = on_prompt
        self._received = bytearray()
        self._errors = bytearray()
        self._selector = selectors.DefaultSelector()
        for stream in (self._stdout, self._stderr):
            os.set_blocking(stream.fileno(), False)
            self._selector.register(stream, selectors.EVENT_READ)
        os.set_blocking(self._stdin.fileno(), False)

    @property
    def _stdin(self) -> IO[bytes]:
        assert self._process.stdin is not None
        return self._process.stdin

    @property
    def _stdout(self) -> IO[bytes]:
        assert self._process.stdout is not None
        return self._process.stdout

    @property
    def _stderr(self) -> IO[bytes]:
        assert self._process.stderr is not None
        return self._process.stderr

    @property
    def errors(self) -> list[str]:
        """The lines of stderr."""
        return self._errors.decode("utf-8", "replace").splitlines()

    def forget_errors(self) -> None:
        """Forget stderr so far: the rest belongs to another command."""
        self._errors.clear()

    def line(self, deadline: float, late: str) -> str:
        """The next line of stdout.

        LostError where the stream ends, and `late` after the deadline, a monotonic moment.
        """
        while (end := self._received.find(b"\n")) < 0:
            if self._is_over:
                raise LostError("the connection ended")
            if len(self._received) > LONGEST_LINE:
                raise LostError("the other side sends a line without an end")
            self._wait_for_streams(deadline, late)
        line = bytes(self._received[:end])
        del self._received[: end + 1]
        return line.decode("utf-8", "replace")

    def send(
        self, data: bytes, seconds: float, moved: Callable[[int], None] = lambda _: None
    ) -> None:
        """Write all of it.

        LostError where the other side closes, or takes nothing for so many seconds.

        moved: is called with the bytes that were sent so far.
        """
        view = memoryview(data)
        done = 0
        self._selector.register(self._stdin, selectors.EVENT_WRITE)
        try:
            deadline = time.monotonic() + seconds
            while done < len(data):
                ready = self._wait_for_streams(
                    deadline, f"nothing more could be sent for {seconds:.0f} s"
                )
                if self._stdin in ready:
                    try:
                        done += os.write(self._stdin.fileno(), view[done : done + CHUNK])
                    except BlockingIOError:
                        continue
                    except OSError:
                        raise LostError("the connection ended") from None
                    deadline = time.monotonic() + seconds
                    moved(done)
        finally:
            self._selector.unregister(self._stdin)

    def rest(self, seconds: float) -> tuple[bytes, int]:
        """All that is left of stdout, and the exit code. LostError after so many seconds."""
        deadline = time.monotonic() + seconds
        while not self._is_over:
            if len(self._received) > LARGEST_REPORT:
                raise LostError(f"its report is larger than {LARGEST_REPORT // 2**20} MiB")
            self._wait_for_streams(deadline, f"no report within {seconds:.0f} s")
        code = self._process.wait(timeout=max(1.0, deadline - time.monotonic()))
        self._drain_errors()
        return bytes(self._received), code

    def _drain_errors(self) -> None:
        """Read stderr to its end.

        A connection that ssh keeps for later holds it open: not for long.
        """
        with suppress(LostError):
            deadline = time.monotonic() + LINGER_S
            while self._is_open(self._stderr):
                self._wait_for_streams(deadline, "")

    def close(self) -> None:
        """End it. The other side sees its stdin end, stops the tool and cleans up."""
        for stream in (self._stdin, self._stdout, self._stderr):
            with suppress(OSError):
                stream.close()
        self._selector.close()
        try:
            self._process.wait(0.5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(1)
            self._process.kill()

    @property
    def _is_over(self) -> bool:
        return not self._is_open(self._stdout)

    def _is_open(self, stream: IO[bytes]) -> bool:
        return stream in {key.fileobj for key in self._selector.get_map().values()}

    def _wait_for_streams(self, deadline: float, late: str) -> set[object]:
        """Wait for one stream to be ready, and read what there is. The streams that were ready.

        LostError after the deadline, also where the other side never stops to write.
        """
        seconds_left = deadline - time.monotonic()
        if seconds_left <= 0:
            raise LostError(late)
        ready: set[object] = {key.fileobj for key, _ in self._selector.select(seconds_left)}
        for stream, target in ((self._stdout, self._received), (self._stderr, self._errors)):
            if stream in ready:
                self._read(stream, target)
        return ready

    def _read(self, stream: IO[bytes], target: bytearray) -> None:
        """Read what a stream has, and answer a prompt of ssh."""
        data = stream.read(CHUNK)
        if data is None:
            return
        if not data:
            self._selector.unregister(stream)
            return
        target += data
        if target is self._errors:
            self._answer_prompt()
            del target[:-ERRORS_KEPT]

    def _answer_prompt(self) -> None:
        """Type the answer, such as a password, once the awaited prompt is on stderr."""
        if self._on_prompt is None:
            return
        prompt, answer = self._on_prompt
        place = self._errors.find(prompt)
        if place >= 0:
            del self._errors[place : place + len(prompt)]
            with suppress(OSError):
                os.write(self._stdin.fileno(), answer())


def patience(arguments: list[str]) -> list[str]:
    """Options of ssh for a host that does not answer, where its configuration has none."""
    try:
        command = ["ssh", "-G", *arguments]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=10,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return []
    configured = assignments(done.stdout.splitlines(), " ")
    options = []
    if configured.get("connecttimeout", "none") == "none":
        options += ["-o", f"ConnectTimeout={CONNECT_S:.0f}"]
    if configured.get("serveraliveinterval", "0") == "0":
        options += ALIVE
    return options
