"""The command line in a process of its own, without the imports of one.

A server that has imported what most commands need forks a process for each run: exit code, streams,
signals and environment are as those of `python -m diagnose`, and the half second of imports is paid
once. Tests of what is imported, of streams that are closed and of an installed package start an
interpreter themselves.
"""

from __future__ import annotations

import functools
import multiprocessing
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from multiprocessing.context import ForkServerContext
from pathlib import Path

TIMEOUT_S = 60


def run(
    *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run `diagnose ARGS`. env: the whole environment; None for that of the tests.

    subprocess.TimeoutExpired after TIMEOUT_S, with the process killed.
    """
    done = run_bytes(*args, env=env, cwd=cwd, stdin=stdin)
    stdout, stderr = (text.decode(errors="replace") for text in (done.stdout, done.stderr))
    return subprocess.CompletedProcess(done.args, done.returncode, stdout, stderr)


def run_bytes(
    *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None, stdin: str = ""
) -> subprocess.CompletedProcess[bytes]:
    """The same for what is not text: a bundle on stdout."""
    with tempfile.TemporaryDirectory(prefix="diagnose-run-") as name:
        folder = Path(name)
        (folder / "in").write_text(stdin)
        environment = dict(os.environ if env is None else env)
        process = _server().Process(target=_main, args=(args, environment, cwd, folder))
        process.start()
        process.join(TIMEOUT_S)
        if process.exitcode is None:
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["diagnose", *args], TIMEOUT_S)
        stdout, stderr = (folder / "out").read_bytes(), (folder / "err").read_bytes()
        return subprocess.CompletedProcess(["diagnose", *args], process.exitcode, stdout, stderr)


@functools.cache
def _server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.preloaded"])
    return context


def _main(
    args: tuple[str, ...], environment: dict[str, str], cwd: Path | None, folder: Path
) -> None:
    """What the forked process does: stand where an interpreter would after its imports."""
    os.environ.clear()
    os.environ.update(environment)
    streams = (("in", os.O_RDONLY), ("out", os.O_WRONLY), ("err", os.O_WRONLY))
    for number, (name, mode) in enumerate(streams):
        opened = os.open(folder / name, mode | os.O_CREAT, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - until the end
    sys.stdout = open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    sys.stderr = open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    if cwd is not None:
        os.chdir(cwd)
    sys.argv = ["diagnose", *args]
    from diagnose.__main__ import main

    main()
