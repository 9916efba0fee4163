"""The tools of the server, with the words and types that the SDK shows to assistants.

Only `server.py` imports this module, and only where the SDK is installed. Annotations are evaluated
here, since the SDK makes the schemas of the tools from them.
"""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from mcp.server.mcpserver.exceptions import ToolError  # type: ignore[import-not-found,unused-ignore]
from pydantic import Field  # type: ignore[import-not-found,unused-ignore]

from diagnose.mcp import tools

_Selectors = Annotated[
    list[str],
    Field(
        description="Ids, families or globs: dns, container.oom-killed, 'network.*'. None for all."
    ),
]
_ContainerNames = Annotated[
    list[str], Field(description="Names or ids of containers. None for all.")
]
_Duration = Annotated[str, Field(description="How far back to look: 90s, 30m, 24h, 7d.")]
_Page = Annotated[str, Field(description="The id of a check, or words of a symptom.")]
_IsAboutHost = Annotated[
    bool, Field(description="First say why the check finds something on this host.")
]
_Begin = Annotated[str, Field(description="A container, `host`, `internet` or an address.")]
_End = Annotated[str, Field(description="The same, with a port: db:5432, dns:53/udp.")]

Tool = Callable[..., Coroutine[Any, Any, str]]


class OfferedTools:
    """The five tools, of which one runs at a time. The SDK shows their docstrings."""

    def __init__(self, means: tools.ServerMeans) -> None:
        self._means = means
        self._one_at_a_time = asyncio.Semaphore(1)

    @property
    def in_order(self) -> tuple[Tool, ...]:
        """The tools as a client lists them."""
        return (self.list_checks, self.diagnose, self.explain, self.path, self.timeline)

    async def list_checks(self, checks: _Selectors = []) -> str:  # noqa: B006
        """List the checks: id, severity and title."""
        return await self._answer(
            "list_checks", lambda: tools.list_checks(checks, self._means), tools.checks_in
        )

    async def diagnose(
        self,
        checks: _Selectors = [],  # noqa: B006
        containers: _ContainerNames = [],  # noqa: B006
        since: _Duration = "24h",
    ) -> str:
        """Run the checks: what is wrong, what caused it, the evidence, and the first command."""
        return await self._answer(
            "diagnose", lambda: tools.diagnose(checks, containers, since, self._means)
        )

    async def explain(self, page: _Page, here: _IsAboutHost = False) -> str:
        """Show the runbook page of a check: symptom, reason, confirm, fix, verify, prevent."""
        return await self._answer("explain", lambda: tools.explain(page, here, self._means))

    async def path(self, begin: _Begin, end: _End) -> str:
        """Show each hop from one end to the other and the first that is broken. Sends nothing."""
        return await self._answer("path", lambda: tools.path(begin, end, self._means))

    async def timeline(
        self,
        containers: _ContainerNames = [],  # noqa: B006
        since: _Duration = "6h",
    ) -> str:
        """List what happened recently: starts, exits, kills, health, the daemon, the kernel."""
        return await self._answer(
            "timeline", lambda: tools.timeline(containers, since, self._means), keeps_end=True
        )

    async def _answer(
        self,
        name: str,
        arguments: Callable[[], list[str]],
        shorten: Callable[[str], str] = str,
        *,
        keeps_end: bool = False,
    ) -> str:
        """The answer of a tool, which stderr gets a line about. ToolError where it has none.

        arguments: gives those of the command that the tool runs, or refuses what the client sent.
        """
        try:
            async with self._one_at_a_time:
                text = shorten(await tools.run(arguments(), self._means))
        except tools.NoAnswerError as error:
            raise ToolError(str(error)) from None
        answer = tools.bounded(text, keeps_end=keeps_end)
        notes = answer.rpartition("\n")[2].strip("[]")
        print(f"{name}: {len(answer)} characters, {notes}", file=sys.stderr)  # noqa: T201
        return answer
