"""The answer for many hosts as a JSON document: fleet.schema.json."""

import msgspec

from diagnose.fleet.model import FleetAnswer, FleetCause, OddHost, Span
from diagnose.model import Json
from diagnose.phrases import rfc3339_if_known
from diagnose.render.fleet_words import command_of

SCHEMA_VERSION = 1


def document(answer: FleetAnswer) -> dict[str, Json]:
    """The answer as a JSON value. Times are RFC 3339; a command that no page has is left out."""
    return {
        "kind": "fleet",
        "schema_version": SCHEMA_VERSION,
        "exit_code": answer.code,
        "hosts": answer.hosts,
        "well": answer.well,
        "sick": answer.sick,
        "unexamined": list(answer.unexamined),
        "causes": [_cause(cause) for cause in answer.causes],
        "different": [_odd_row(odd) for odd in answer.odd],
        "lost_sight": [{"id": lost.id, "hosts": list(lost.hosts)} for lost in answer.lost],
        "silent": [
            {"host": silence.host, "last": rfc3339_if_known(silence.last)}
            for silence in answer.silent
        ],
        "not_counted": [msgspec.to_builtins(unusable) for unusable in answer.unusable],
        "notes": list(answer.notes),
        "earlier_hosts": answer.earlier,
    }


def _odd_row(odd: OddHost) -> dict[str, Json]:
    differences: list[Json] = [
        {"fact": fact, "value": value, "others": usual} for fact, value, usual in odd.differences
    ]
    return {"host": odd.host, "differences": differences}


def _cause(cause: FleetCause) -> dict[str, Json]:
    """One cause of the fleet."""
    command = command_of(cause)
    first = None
    if command and cause.command is not None:
        first = {
            "command": command,
            "risk": cause.command.risk,
            "host": cause.command.host,
            "hosts": cause.command.hosts,
        }
    return {
        "id": cause.id,
        "severity": str(cause.severity),
        "hosts": list(cause.hosts),
        "new": cause.new,
        "gone": cause.gone,
        "began": None if cause.span is None else _span(cause.span),
        "summary": cause.summary,
        "signatures": [
            {"signature": signature, "hosts": number} for signature, number in cause.signatures
        ],
        "explains": [{"id": id, "hosts": number} for id, number in cause.effects],
        "split": None if cause.split is None else msgspec.to_builtins(cause.split),
        "first": first,
        "groups": [msgspec.to_builtins(group) for group in cause.groups],
    }


def _span(span: Span) -> dict[str, Json]:
    return {
        "first": rfc3339_if_known(span.first),
        "half": rfc3339_if_known(span.half),
        "last": rfc3339_if_known(span.last),
        "known": span.known,
    }
