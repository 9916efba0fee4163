"""A path as text, JSON, or a drawing."""

import json
from collections.abc import Iterator
from typing import TextIO

from rich.console import Console
from rich.text import Text

from diagnose import runbooks
from diagnose.model import Json, Reported
from diagnose.path.answer import PathAnswer
from diagnose.path.ends import INTERNET
from diagnose.path.model import Hop, Path, SentPacket, State
from diagnose.render.console import literal
from diagnose.render.words import clean, one_line

WORDS: dict[State, str] = {"ok": "OPEN", "broken": "BROKEN", "unknown": "UNKNOWN"}
STYLES: dict[State, str] = {"ok": "green", "broken": "bold red", "unknown": "magenta"}


def headline(answer: PathAnswer) -> str:
    """From where to where, and what decides it."""
    path = answer.path
    port = f" port {path.target.port}/{path.target.proto}" if path.target.port is not None else ""
    ways = f"{path.begin} to {path.end}{port}"
    decisive = path.decisive
    if decisive is not None:
        return f"{ways}: {decisive.place}: {decisive.text}"
    if path.packet is None:
        return f"{ways}: every hop is open"
    return f"{ways}: a packet came through"


def sentences(answer: PathAnswer) -> Iterator[str]:
    """The answer in a few lines, above the report that has its finding."""
    path = answer.path
    yield f"{WORDS[path.state]} {headline(answer)}"
    if answer.finding is not None:
        yield f"because of what comes first below: {answer.finding.id}"
    elif answer.cure is not None:
        yield f"to look yourself: {one_line(answer.cure.text)}"
        if path.decisive is not None and path.decisive.opening:
            yield f"if the port is to be open: {path.decisive.opening}"
    elif path.state == "ok" and path.begin.called == INTERNET:
        yield "a firewall or a router before this host is not seen from here"
    words = f"{path.begin.called} {path.target}"
    if path.state == "ok" and INTERNET not in (path.begin.called, path.end.called):
        yield f"each hop, and what becomes of a packet: diagnose path --probe {words}"
    else:
        yield f"each hop: diagnose path {words}"


def render(answer: PathAnswer, format_: str, stream: TextIO, *, color: bool | None = None) -> None:
    """Write the answer: "text", "json" or "svg"."""
    if format_ == "json":
        json.dump(document(answer), stream, indent=1)
        stream.write("\n")
    elif format_ == "svg":
        from diagnose.render.html import hops, page

        stream.write(page.standalone(hops.draw(answer)))
    else:
        _text(answer, stream, color=color)


def document(answer: PathAnswer) -> dict[str, Json]:
    """The answer as a JSON value."""
    path = answer.path
    finding = answer.finding
    cure = answer.cure
    return {
        "schema_version": 1,
        "from": _end(path.begin.kind, str(path.begin)),
        "to": {
            **_end(path.end.kind, str(path.end)),
            "port": path.target.port,
            "proto": path.target.proto,
        },
        "state": WORDS[path.state].lower(),
        "walk": WORDS[path.walk].lower(),
        "hops": [_hop(hop) for hop in path.hops],
        "packet": None if path.packet is None else _packet(path, path.packet),
        "finding": None if finding is None else _finding(finding),
        "fix": None if cure is None else _fix(cure),
    }


def _finding(root: Reported) -> dict[str, Json]:
    return {"key": root.key, "id": root.id, "summary": root.finding.summary}


def _fix(cure: runbooks.Command) -> dict[str, Json]:
    return {"command": cure.text, "risk": cure.risk, "heals": cure.purpose == "fix"}


def _end(kind: str, name: str) -> dict[str, Json]:
    return {"kind": kind, "name": name}


def _hop(hop: Hop) -> dict[str, Json]:
    subjects = [{"kind": subject.kind, "name": subject.name} for subject in hop.about]
    return {
        "kind": hop.kind,
        "place": hop.place,
        "state": hop.state,
        "text": hop.text,
        "subjects": subjects,
    }


def _packet(path: Path, packet: SentPacket) -> dict[str, Json]:
    """A packet that was sent, with its answer and the verdict of the rules."""
    reply = packet.reply
    return {
        "sent": reply is not None,
        "address": packet.address or None,
        "port": packet.port or None,
        "outcome": None if reply is None else reply.outcome,
        "ms": None if reply is None else reply.ms,
        "verdict": packet.verdict,
        "agrees": path.agrees,
        "text": packet.text,
    }


def _text(answer: PathAnswer, stream: TextIO, *, color: bool | None) -> None:
    """Print the hops, and what breaks the first broken one."""
    console = literal(stream, color=color)
    state = answer.path.state
    console.print(
        Text.assemble((WORDS[state], STYLES[state]), " ", one_line(headline(answer))),
        soft_wrap=True,
    )
    width = max((len(hop.place) for hop in answer.path.hops), default=0)
    for number, hop in enumerate(answer.path.hops, 1):
        console.print(_hop_row(number, hop, min(width, 30)), soft_wrap=True)
    if answer.path.packet is not None:
        console.print(_packet_row(answer.path.packet), soft_wrap=True)
    if answer.path.agrees is False:
        console.print("  walk and packet disagree: the packet counts", soft_wrap=True)
    if answer.finding is not None:
        _print_wrapped(console, f"because  {answer.finding.id}: {answer.finding.finding.summary}")
    if answer.cure is not None:
        _print_cure(console, answer.cure)
    _print_more(console, answer)


def _hop_row(number: int, hop: Hop, width: int) -> Text:
    word = "" if hop.state == "ok" else WORDS[hop.state]
    return Text.assemble(
        f"{number:3}  {one_line(hop.place):<{width}}  ",
        (f"{word:<7}", STYLES[hop.state]),
        "  ",
        one_line(hop.text),
    )


def _packet_row(packet: SentPacket) -> Text:
    hop = packet.hop
    style = STYLES["unknown"] if packet.reply is None else STYLES[hop.state]
    return Text.assemble("  ", ("packet", style), f"  {one_line(hop.text)}")


def _print_cure(console: Console, cure: runbooks.Command) -> None:
    impact = f": {cure.impact}" if cure.impact else ""
    _print_wrapped(console, f"fix ({cure.risk}){impact}" if cure.purpose == "fix" else "try")
    for line in cure.text.splitlines():
        console.print(Text(f"      {clean(line)}", "bold"), soft_wrap=True)


def _print_more(console: Console, answer: PathAnswer) -> None:
    """Print the page to read next, or that no check found what is broken."""
    if answer.finding is not None:
        console.print(f"  more  diagnose explain {answer.finding.id}", soft_wrap=True)
        return
    is_broken = answer.path.walk == answer.path.state == "broken"
    if is_broken and answer.cure is None:
        console.print("  no check calls this a fault: it may be closed on purpose", soft_wrap=True)


def _print_wrapped(console: Console, sentence: str) -> None:
    """A sentence broken at the width; commands and hops are left to the terminal."""
    for number, row in enumerate(Text(one_line(sentence)).wrap(console, console.width - 4)):
        row.rstrip()
        console.print(Text("    " if number else "  ") + row)
