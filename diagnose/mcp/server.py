"""The server, by the official SDK of the Model Context Protocol (the extra `mcp`).

It offers five tools, no resources and no prompts. Each is marked as one that only reads. What
leaves is written to stderr as one line for each call: the tool, characters, redacted values.
"""

from typing import Any

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
        from mcp_types import ToolAnnotations  # type: ignore[import-not-found,unused-ignore]

        from diagnose.mcp.offered_tools import OfferedTools
    except ModuleNotFoundError:
        raise MissingSdkError(MISSING) from None

    server = MCPServer(
        "diagnose", instructions=INSTRUCTIONS, version=__version__, log_level="ERROR"
    )
    only_reads = ToolAnnotations(
        read_only_hint=True, destructive_hint=False, idempotent_hint=True, open_world_hint=False
    )
    for tool in OfferedTools(means).in_order:
        server.add_tool(tool, annotations=only_reads, structured_output=False)
    return server
