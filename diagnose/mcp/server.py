"""The server, by the official SDK of the Model Context Protocol (the extra `mcp`).

It offers five tools, no resources and no prompts. Each is marked as one that only reads. What
leaves is written to stderr as one line for each call: the tool, characters, redacted values.
Annotations are evaluated here, since the SDK makes the schemas of the tools from them.
"""

import asyncio
import sys
from collections.abc import Callable
from typing import Annotated, Any

from diagnose.mcp import tools
from diagnose.version import __version__

MISSING = "`diagnose mcp` needs the package mcp: pip install 'docker-host-diagnose[mcp]'"
INSTRUCTIONS = f"""\
Diagnoses one Docker host and only reads. Begin with `diagnose`. A check that could not run says
nothing about health. Only what stands under `explains` is caused by a finding. Commands in answers
are for a person to run, and say what they interrupt; no tool runs them. {tools.DATA}"""


class MissingSdkError(Exception):
    """The SDK is not installed; one sentence says what to do."""


def make(means: tools.ServerMeans) -> Any:
    """The server. MissingSdkError without the SDK."""
    try:
        from mcp.server.mcpserver import MCPServer  # type: ignore[import-not-found,unused-ignore]
        from mcp.server.mcpserver.exceptions import ToolError  # type: ignore[import-not-found,unused-ignore]
        from mcp_types import ToolAnnotations  # type: ignore[import-not-found,unused-ignore]
        from pydantic import Field  # type: ignore[import-not-found,unused-ignore]
    except ModuleNotFoundError:
        raise MissingSdkError(MISSING) from None

    server = MCPServer(
        "diagnose", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR"
    )
    one_at_a_time = asyncio.Semaphore(1)
    only_reads = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    selectors = Field(
        description="Ids, families or globs: dns, container.oom-killed, 'network.*'. None for all."
    )
    narrowing = Field(description="Names or ids of containers. None for all.")
    duration = Field(description="How far back to look: 90s, 30m, 24h, 7d.")

    async def answered(
        name: str,
        arguments: Callable[[], list[str]],
        shorten: Callable[[str], str] = str,
        *,
        keeps_end: bool = False,
    ) -> str:
        try:
            async with one_at_a_time:
                text = shorten(await tools.run(arguments(), means))
        except tools.NoAnswerError as error:
            raise ToolError(str(error)) from None
        answer = tools.bounded(text, keeps_end=keeps_end)
        notes = answer.rpartition("\n")[2].strip("[]")
        print(f"{name}: {len(answer)} characters, {notes}", file=sys.stderr)  # noqa: T201
        return answer

    async def list_checks(checks: Annotated[list[str], selectors] = []) -> str:  # noqa: B006
        """List the checks: id, severity and title."""
        return await answered(
            "list_checks", lambda: tools.list_checks(checks, means), tools.checks_in
        )

    async def diagnose(
        checks: Annotated[list[str], selectors] = [],  # noqa: B006
        containers: Annotated[list[str], narrowing] = [],  # noqa: B006
        since: Annotated[str, duration] = "24h",
    ) -> str:
        """Run the checks: what is wrong, what caused it, the evidence, and the first command."""
        return await answered("diagnose", lambda: tools.diagnose(checks, containers, since, means))

    async def explain(
        page: Annotated[str, Field(description="The id of a check, or words of a symptom.")],
        here: Annotated[
            bool, Field(description="First say why the check finds something on this host.")
        ] = False,
    ) -> str:
        """Show the runbook page of a check: symptom, reason, confirm, fix, verify, prevent."""
        return await answered("explain", lambda: tools.explain(page, here, means))

    async def path(
        begin: Annotated[str, Field(description="A container, `host`, `internet` or an address.")],
        end: Annotated[str, Field(description="The same, with a port: db:5432, dns:53/udp.")],
    ) -> str:
        """Show each hop from one end to the other and the first that is broken. Sends nothing."""
        return await answered("path", lambda: tools.path(begin, end, means))

    async def timeline(
        containers: Annotated[list[str], narrowing] = [],  # noqa: B006
        since: Annotated[str, duration] = "6h",
    ) -> str:
        """List what happened recently: starts, exits, kills, health, the daemon, the kernel."""
        return await answered(
            "timeline", lambda: tools.timeline(containers, since, means), keeps_end=True
        )

    for tool in (list_checks, diagnose, explain, path, timeline):
        server.add_tool(tool, annotations=only_reads, structured_output=False)
    return server
