"""`diagnose mcp`: a read-only server for assistants, over stdio."""

from pathlib import Path

import click

from diagnose.cli import options
from diagnose.recording.budget import MOST_USUAL_S


@click.command(short_help="Serve an assistant over stdin and stdout (MCP).")
@options.source
@options.budget
@options.no_probe
@options.engine
@options.config
def mcp(
    source: Path | None,
    budget_s: float,
    probe: bool,
    host: str | None,
    context: str | None,
    config: Path | None,
) -> None:
    """Serve an assistant by the Model Context Protocol, over stdin and stdout.

    Tools: list_checks, diagnose, explain, path, timeline. None changes anything or sends a packet
    that a usual run does not send. Each answer is redacted and bounded, and says how many values
    were redacted; stderr has a line for each call. It needs the extra: pip install
    'docker-host-diagnose[mcp]'.
    """
    from diagnose.mcp import server, tools

    options_given = {"--from": source, "--host": host, "--context": context, "--config": config}
    run = tuple(f"{option}={value}" for option, value in options_given.items() if value is not None)
    if options.is_typed("budget_s"):
        means = tools.ServerMeans((*run, f"--budget={budget_s}"), probe, budget_s)
    else:  # each run chooses for itself
        means = tools.ServerMeans(run, probe, MOST_USUAL_S)
    asks_live_host = bool(host or context) or not probe
    if source is not None and asks_live_host:
        raise click.UsageError("--from goes without -H, --context and --no-probe")
    try:
        mcp_server = server.make(means)
    except server.MissingSdkError as error:
        raise click.ClickException(str(error)) from None
    mcp_server.run("stdio")
