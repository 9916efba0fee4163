"""`diagnose watch`: roots as they begin and end."""

import contextlib
import os
import sys
from pathlib import Path
from typing import Any

import click

from diagnose.cli import options, process


@click.command()
@click.option(
    "-1", "once", is_flag=True, help="End when the first root cause begins, with its exit code."
)
@click.option(
    "--for",
    "seconds",
    callback=options.parse_duration,
    metavar="DURATION",
    help="End after this time.",
)
@options.file_option("--log", description="Append a line of JSON for each change to this file.")
@click.option(
    "--every",
    "full_s",
    callback=options.parse_duration,
    default="5m",
    show_default=True,
    metavar="DURATION",
    help="How often all checks run, even without a change.",
)
@options.budget
@options.fail_on
@options.no_probe
@options.engine
@options.config
@options.no_color
def watch(
    once: bool,
    seconds: float | None,
    log: Path | None,
    full_s: float,
    fail_on: str,
    no_color: bool,
    **given: Any,
) -> None:
    """Follow this host: show root causes as they begin and end.

    It sleeps until the engine, the network, the packet filter, pressure or a file of the engine
    changes, and then runs the checks that the change concerns. For scripts: `diagnose watch -1
    --for 5m` after a deployment.

    Exit codes: with -1 that of the first root cause that begins (2 critical, 1 warning), 0 if none
    begins. Without -1 that of the root causes that remain at the end. 3 if the containers could
    not be listed.
    """
    from diagnose import registry
    from diagnose.live.wake import Wake
    from diagnose.render.watch import Screen, log_line
    from diagnose.watch.roots import RootChange, Roots, exit_code
    from diagnose.watch.watcher import Watcher

    if once and fail_on == "never":
        raise click.UsageError("-1 does not go with --fail-on never: nothing would end the watch")
    request = options.of_run(given)
    lines = _open_to_append(log) if log is not None else None
    wake = Wake(request)
    until = registry.SEVERITIES[fail_on] if once else None
    if not sys.stdout.isatty():
        click.echo("watching: a line for each root cause that is present, begins or ends", err=True)
    with Screen(sys.stdout, color=options.color(no_color), missing=tuple(wake.missing)) as screen:

        def tell(roots: Roots, changes: tuple[RootChange, ...], trouble: str) -> None:
            if lines is not None:
                for change in changes:
                    os.write(lines, log_line(change).encode("utf-8", "replace"))
            screen.show(roots, changes, trouble)

        watcher = Watcher(registry.load(), request, wake, tell, full_s=full_s)
        try:
            code = watcher.run(seconds, until=until)
        except KeyboardInterrupt:
            code = exit_code(watcher.roots)
        finally:
            with contextlib.suppress(OSError):
                wake.close()
    process.leave(code if fail_on != "never" else 0)


def _open_to_append(path: Path) -> int:
    """The log, to append to. It may exist, and is not followed through a link."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(path, flags, 0o600)
    except OSError as error:
        raise click.ClickException(f"cannot write {path}: {error.strerror}") from None
