"""One host: from the connection to its report."""

import shlex
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from diagnose.phrases import size
from diagnose.reach import ON, ON_BY_SUDO
from diagnose.reach.channel import Channel, LostError, patience
from diagnose.reach.folder import Folder, NoFolderError
from diagnose.reach.target import Target
from diagnose.version import __version__

WORD = "diagnose-reach"
"""What begins each line of the other side that is meant for us."""
PROMPT = b"diagnose-reach: password"
ANSWER_S = 30.0
"""The longest silence of the other side while nothing runs there, and of the line while something
is sent."""
PASSWORD_S = 120.0
"""Seconds for the first answer: ssh and sudo may ask a person for a password meanwhile."""
MOST_NOISE = 1 << 20
"""Characters of a banner and of login scripts."""
MARGIN_S = 30.0
"""Seconds beyond the budget after which a run counts as lost: the tool's own start, and a slow line
for the report."""
FIXED = (
    "-T",
    "-x",
    "-a",
    "-o",
    "ClearAllForwardings=yes",
    "-o",
    "RemoteCommand=none",
    "-o",
    "PermitLocalCommand=no",
)
"""No terminal, and nothing of the user's that is meant for a session of a person."""


class VisitError(Exception):
    """No report came from this host; one sentence says why."""


@dataclass(frozen=True)
class RemoteRun:
    """The run of the tool on another host."""

    arguments: tuple[str, ...]
    """Of the tool."""
    budget_s: float
    folder: Callable[[], Folder]
    """Finds what is shipped."""
    config: bytes = b""
    """The text of a configuration file."""
    environment: Mapping[str, str] = field(default_factory=dict)
    """For the tool's face."""
    ask_password: Callable[[], str] | None = None
    """Gives sudo's password, None where the tool runs as the user who logs in."""


@dataclass(frozen=True)
class Visit:
    """The results from a host.

    The report as it was written there, what the tool wrote on stderr, and its exit code.
    """

    output: bytes
    errors: tuple[str, ...]
    code: int


def visit(target: Target, remote_run: RemoteRun, stage: Callable[[str], None]) -> Visit:
    """Run the tool on that host.

    stage: is called with what is under way. VisitError if no report came.
    """
    sent: list[str] = []

    def password() -> bytes:
        assert remote_run.ask_password is not None
        if sent:
            raise VisitError("sudo does not take the password")
        stage("asks for sudo's password")
        sent.append("once")
        return remote_run.ask_password().encode() + b"\n"

    stage("connecting")
    prompt = (PROMPT, password) if remote_run.ask_password is not None else None
    script = _script(target, remote_run)
    try:
        channel = Channel(
            _command(target, len(script), as_root=remote_run.ask_password is not None), prompt
        )
    except FileNotFoundError:
        raise VisitError("ssh is not installed here") from None
    try:
        return _run_script(channel, remote_run, script, stage)
    except LostError as error:
        raise VisitError(_reason(channel, str(error))) from None
    except NoFolderError as error:
        raise VisitError(str(error)) from None
    finally:
        channel.close()


def _run_script(
    channel: Channel, remote_run: RemoteRun, script: bytes, stage: Callable[[str], None]
) -> Visit:
    """Send the script, send the folder if the host lacks it, and take what the run prints."""
    _next_line(channel, "ready", PASSWORD_S)
    # Banners and login scripts have spoken by now. Later would be too late: the tool's own words
    # may arrive together with the line that announces them.
    channel.forget_errors()
    stage("looking")
    channel.send(script, ANSWER_S)
    word, rest = _next_line(channel, "ship config run", ANSWER_S)
    if word == "ship":
        folder = remote_run.folder()
        channel.send(f"{folder.machine} {folder.room_kb} {len(folder.data)}\n".encode(), ANSWER_S)
        _, place = _next_line(channel, "send", ANSWER_S)
        whole = size(len(folder.data))
        channel.send(
            folder.data, ANSWER_S, lambda done: stage(f"copying {size(done)} of {whole} to {place}")
        )
        stage("unpacking")
        word, rest = _next_line(channel, "config run", ANSWER_S)
    if word == "config":
        channel.send(remote_run.config, ANSWER_S)
        word, rest = _next_line(channel, "run", ANSWER_S)
    stage(f"running {rest}")
    output, code = channel.rest(remote_run.budget_s + MARGIN_S)
    if not 0 <= code <= 3:
        raise LostError(f"the run was cut off (exit {code})")
    return Visit(output, tuple(channel.errors), code)


def _next_line(channel: Channel, words: str, seconds: float) -> tuple[str, str]:
    """The next line that is meant for us, as word and rest.

    What a login script writes is passed over, up to MOST_NOISE.
    """
    deadline = time.monotonic() + seconds
    noise = 0
    while True:
        line = channel.line(deadline, f"no answer within {seconds:.0f} s")
        mark, _, sentence = line.partition(" ")
        if mark != WORD:
            noise += len(line)
            if noise > MOST_NOISE:
                raise LostError("the other side writes on and on instead of an answer")
            continue
        word, _, rest = sentence.partition(" ")
        if word == "failed":
            raise VisitError(rest)
        if word not in words.split():
            raise VisitError(f"the other side answers {word!r} out of turn")
        return word, rest


def _script(target: Target, remote_run: RemoteRun) -> bytes:
    """The script for the other side's shell, with its variables and the tool's arguments before
    it."""
    variables = {"version": __version__, "config_size": str(len(remote_run.config))}
    lines = [f"{name}={shlex.quote(value)}" for name, value in variables.items()]
    environment = {**remote_run.environment, ON: f"ssh://{target}"}
    if remote_run.ask_password is not None:
        environment[ON_BY_SUDO] = "1"
    lines += [f"export {name}={shlex.quote(value)}" for name, value in environment.items()]
    lines.append(shlex.join(["set", "--", *remote_run.arguments]))
    lines.append(Path(__file__).with_name("remote.sh").read_text())
    return "\n".join(lines).encode()


def _command(target: Target, length: int, *, as_root: bool) -> list[str]:
    """The ssh command line.

    What it runs there is one line without newlines, so that any login shell takes it.
    """
    remote = f"exec sh -c '{_begin(length)}'"
    if as_root:
        inner = _begin(length).replace('"', r"\"").replace("$", r"\$")
        sudo = f'exec sudo -S -p "{PROMPT.decode()}" sh -c "{inner}"'
        remote = f"exec sh -c 'if [ $(id -u) = 0 ]; then exec sh -c \"{inner}\"; fi; {sudo}'"
    return ["ssh", *FIXED, *patience(target.arguments), *target.arguments, remote]


def _begin(length: int) -> str:
    """Shell text that says that it is there, and then runs a script.

    The script has that many bytes, and comes on stdin.
    """
    return f'echo {WORD} ready; eval "$(head -c {length})"'


def _reason(channel: Channel, lost: str) -> str:
    """Why the connection was lost: what ssh or sudo wrote last, or what we saw of it."""
    lines = [line.strip() for line in channel.errors if line.strip()]
    return f"{lost}: {lines[-1].removeprefix('ssh: ')}" if lines else lost
