"""The report as SARIF 2.1.0, for code scanning.

A finding is about a host: its place is a logical one, by kind and name.
"""

from typing import TextIO

from diagnose.model import Check, Json, Report, Reported, Severity
from diagnose.phrases import utc
from diagnose.render.formats.json import as_text
from diagnose.render.words import clean

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
LEVELS = {Severity.critical: "error", Severity.warning: "warning", Severity.advice: "note"}


def render(report: Report, stream: TextIO) -> None:
    """Write the document."""
    stream.write(as_text(document(report)))
    stream.write("\n")


def document(report: Report) -> dict[str, Json]:
    """The report as a SARIF log with one run."""
    rules = list({result.check.id: result.check for result in report.results}.values())
    rules += [finding.check for finding in report.findings if finding.check not in rules]
    rules = list(dict.fromkeys(rules))
    number = {check.id: at for at, check in enumerate(rules)}
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "diagnose",
                        "version": report.version,
                        "rules": [_rule(check) for check in rules],
                    }
                },
                "invocations": [_invocation(report)],
                "results": [_result(finding, number[finding.id]) for finding in report.findings],
            }
        ],
    }


def _rule(check: Check) -> dict[str, Json]:
    return {
        "id": check.id,
        "shortDescription": {"text": check.title},
        "help": {"text": f"diagnose explain {check.id}"},
        "defaultConfiguration": {"level": LEVELS[check.severity]},
    }


def _invocation(report: Report) -> dict[str, Json]:
    """Whether the run was whole.

    What could not be looked at is said, so that no results do not read like health.
    """
    blind = [result for result in report.results if result.is_unjudged]
    notices = [
        {
            "level": "warning",
            "message": {"text": f"{result.check.id} could not run: {clean(result.why)}"},
        }
        for result in blind
    ]
    return {
        "executionSuccessful": not blind,
        "machine": clean(report.host.name),
        "endTimeUtc": utc(report.taken_at).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "toolExecutionNotifications": notices,
    }


def _result(finding: Reported, rule: int) -> dict[str, Json]:
    """One finding as a result. rule: the place of its check among the rules."""
    subject = finding.subject
    result: dict[str, Json] = {
        "ruleId": finding.id,
        "ruleIndex": rule,
        "level": LEVELS[finding.severity],
        "message": {"text": clean(finding.finding.summary)},
        "locations": [
            {
                "logicalLocations": [
                    {
                        "name": clean(subject.name),
                        "kind": subject.kind,
                        "fullyQualifiedName": clean(str(subject)),
                    }
                ]
            }
        ],
        "partialFingerprints": {"diagnoseKey/v1": clean(finding.key)},
        "properties": {"root": finding.root, "causedBy": [link.cause for link in finding.causes]},
    }
    if finding.silenced:
        result["suppressions"] = [{"kind": "external", "justification": clean(finding.silenced)}]
    return result
