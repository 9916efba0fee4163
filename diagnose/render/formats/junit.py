"""The report as JUnit XML: a test case for each check, for whatever shows test results.

A finding above advice is a failure; a check that could not look, or crashed, is an error; one that
does not apply is skipped. Advice never fails a run: it is in the output of the suite. The
document keeps the schema of Apache Ant's reports, which most readers were made for.
"""

from collections import defaultdict
from typing import TextIO
from xml.etree import ElementTree

from diagnose import runbooks
from diagnose.model import Report, Reported, Result, Severity, Verdict
from diagnose.phrases import count, utc
from diagnose.render.words import clean


def render(report: Report, stream: TextIO) -> None:
    """Write the document."""
    suite = ElementTree.Element("testsuite", _head(report))
    suite.append(_properties(report))
    by_id: dict[str, list[Reported]] = defaultdict(list)
    for finding in report.findings:
        if not finding.silenced:
            by_id[finding.id].append(finding)
    place = runbooks.Place.of(report)
    for result in report.results:
        suite.append(_case(result, by_id[result.check.id], place))
    advice = [
        finding
        for findings in by_id.values()
        for finding in findings
        if finding.severity is Severity.advice
    ]
    ElementTree.SubElement(suite, "system-out").text = "\n\n".join(
        _finding_text(finding, place) for finding in advice
    )
    ElementTree.SubElement(suite, "system-err").text = _text("\n".join(report.notes))
    for name in ("failure", "error", "skipped"):
        number = len(suite.findall(f"testcase/{name}"))
        suite.set({"failure": "failures", "error": "errors"}.get(name, name), str(number))
    ElementTree.indent(suite)
    suites = ElementTree.Element("testsuites")
    suites.append(suite)
    stream.write('<?xml version="1.0" encoding="UTF-8"?>\n')
    stream.write(ElementTree.tostring(suites, encoding="unicode"))
    stream.write("\n")


def _head(report: Report) -> dict[str, str]:
    """The attributes of the test suite."""
    return {
        "id": "0",
        "package": "diagnose",
        "name": f"diagnose {_text(report.host.name)}",
        "hostname": _text(report.host.name),
        "timestamp": utc(report.taken_at).strftime("%Y-%m-%dT%H:%M:%S"),
        "time": f"{report.duration_s:.3f}",
        "tests": str(len(report.results)),
    }


def _properties(report: Report) -> ElementTree.Element:
    """The versions of the tool, the kernel and the engine."""
    engine = report.host.engine or {}
    values = {
        "diagnose": report.version,
        "kernel": report.host.kernel,
        "engine": f"{engine.get('name', 'none')} {engine.get('version', '')}".strip(),
    }
    properties = ElementTree.Element("properties")
    for name, value in values.items():
        ElementTree.SubElement(properties, "property", name=name, value=_text(value) or "unknown")
    return properties


def _case(result: Result, findings: list[Reported], place: runbooks.Place) -> ElementTree.Element:
    """The test case of one check."""
    check = result.check
    case = ElementTree.Element(
        "testcase", classname=check.family, name=check.id, time=f"{result.duration_s:.3f}"
    )
    loud = [finding for finding in findings if finding.severity > Severity.advice]
    if loud:
        worst = max(finding.severity for finding in loud)
        if len(loud) == 1:
            message = loud[0].finding.summary
        else:
            message = f"{count(len(loud), 'finding')}: {check.title}"
        failure = ElementTree.SubElement(case, "failure", message=_text(message), type=str(worst))
        failure.text = "\n\n".join(_finding_text(finding, place) for finding in loud)
    elif result.is_unjudged:
        why = result.why.strip().splitlines()[-1:] or ["not known"]
        ElementTree.SubElement(case, "error", message=_text(why[0]), type=result.verdict.value)
    elif result.verdict is Verdict.SKIPPED:
        ElementTree.SubElement(case, "skipped", message=_text(result.why))
    return case


def _finding_text(finding: Reported, place: runbooks.Place) -> str:
    """A finding with its causes and its cure, as text."""
    rows = [f"{finding.severity} {finding.subject}: {finding.finding.summary}"]
    rows += [f"caused by {link.cause}: {link.because}" for link in finding.causes]
    cure = runbooks.cure_of(finding, place)
    if cure is not None:
        rows += [f"fix ({cure.risk}):", *(f"  {line}" for line in cure.text.splitlines())]
    return _text("\n".join(rows))


def _text(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return clean(text).replace("\ufffe", "?").replace("\uffff", "?")
