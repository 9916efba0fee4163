"""`diagnose path FROM TO`: each hop of one connection, and the first that stops it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from diagnose.cli import options, process

if TYPE_CHECKING:
    from diagnose.model import Report
    from diagnose.questions import Host


@click.command()
@click.argument("begin", metavar="FROM", shell_complete=options.complete_end)
@click.argument("target", metavar="TO[:PORT][/udp|/dns]", shell_complete=options.complete_end)
@options.source
@options.format_("text", "json", "svg")
@click.option(
    "--probe",
    "send",
    is_flag=True,
    help="Also send one packet: a TCP connect, or a UDP datagram (a DNS query to port 53).",
)
@options.budget
@options.engine
@options.config
@options.no_color
def path(begin: str, target: str, format_: str, send: bool, no_color: bool, **given: Any) -> None:
    """Show each hop of a connection, and the first that stops it.

    FROM and TO are containers, `host`, `internet`, an address, or a name that FROM uses. For
    example: web db:5432, internet web:8080, web internet. TO/dns is the DNS server at TO, port 53
    over UDP. Nothing is sent without --probe: what the host does to a packet is read from its rules
    and routes.

    With --probe one packet leaves the network namespace of FROM as well. Where rules and packet
    disagree, the packet counts. A connection is closed at once, and no data is sent.

    Exit codes: 0 every hop is open, 2 one is broken, 3 one is not known.
    """
    from diagnose import registry, session
    from diagnose.model import Unavailable
    from diagnose.path import answer, ends, probe
    from diagnose.render import path as rendering

    checks = registry.load()
    selected = [id for id, check in checks.items() if check.family in answer.FAMILIES]
    request = options.of_run({**given, "probe": send, "send": send})
    if send and request.source is not None:
        raise click.UsageError(
            "--probe does not go with --from: a recording is judged without sending anything"
        )
    answers: list[answer.PathAnswer | Unavailable] = []

    def send_packet(report: Report, host: Host) -> None:
        answers.append(answer.answer(report, begin, target, host))

    try:
        end = ends.target(target).end
        if send:
            probe.require_sendable(begin, end)
        report = session.diagnose(
            lambda: checks,
            selected,
            request,
            began=process.began(),
            shown=(*answer.KINDS, *probe.KINDS) if send else answer.KINDS,
            afterwards=send_packet if send else None,
        )
        path_answer = answers[0] if answers else answer.answer(report, begin, target)
    except (session.InvalidRequestError, ends.UnknownEndError) as error:
        raise click.ClickException(str(error)) from None
    if isinstance(path_answer, Unavailable):
        raise click.ClickException(f"the containers could not be listed: {path_answer}")
    rendering.render(path_answer, format_, sys.stdout, color=options.color(no_color))
    process.leave(path_answer.exit_code)
