"""The report as metrics in Prometheus' text format, for node_exporter's textfile collector.

Labels are bounded: ids of checks, severities, kinds of subjects, verdicts. No name of a user's
thing is a label. Roots of advice are only counted: a host has dozens of them, and nobody is woken
by one.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TextIO

import msgspec

from diagnose.model import Report, Severity, Verdict

FIRST_LINE = "# HELP diagnose_up "
"""How a file of ours begins: no other is overwritten."""


class Sample(msgspec.Struct, frozen=True):
    """One line: the labels and the value."""

    value: float
    labels: Mapping[str, str] = {}


class Metric(msgspec.Struct, frozen=True):
    """One metric: all are gauges, which describe the last run."""

    name: str
    help: str
    samples: tuple[Sample, ...]


def render(report: Report, code: int, stream: TextIO) -> None:
    """Write all metrics. code: the exit code of the run."""
    for metric in metrics(report, code):
        stream.write(f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n")
        stream.writelines(
            f"{metric.name}{_labels(sample.labels)} {_number(sample.value)}\n"
            for sample in metric.samples
        )


def metrics(report: Report, code: int) -> Iterator[Metric]:
    """The metrics of one run. What has no sample is left out."""
    number = report.by_severity
    judged = report.by_verdict
    yield from _run_metrics(report, code)
    yield Metric(
        "diagnose_findings",
        "Findings by severity, effects included, silenced ones left out.",
        tuple(Sample(number[severity], {"severity": str(severity)}) for severity in Severity),
    )
    yield Metric(
        "diagnose_checks",
        "Checks by verdict.",
        tuple(Sample(judged[verdict], {"verdict": verdict.value}) for verdict in Verdict),
    )
    roots = tuple(_roots(report))
    if roots:
        yield Metric(
            "diagnose_root",
            "Root findings above advice by check, severity and kind of subject.",
            roots,
        )


def _run_metrics(report: Report, code: int) -> Iterator[Metric]:
    """Whether and when the host was examined, by what, and with which exit code."""
    engine = report.host.engine or {}
    info = {"version": report.version, "engine": str(engine.get("name") or "none")}
    yield _metric_of_one_value(
        "diagnose_up",
        "Whether the containers of the host could be listed.",
        int(report.container_names is not None),
    )
    yield Metric(
        "diagnose_info",
        "The version of the tool, and the kind of engine that answered.",
        (Sample(1, info),),
    )
    yield _metric_of_one_value(
        "diagnose_last_run_timestamp_seconds",
        "When the report was taken, in Unix time.",
        report.taken_at,
    )
    yield _metric_of_one_value(
        "diagnose_run_duration_seconds", "How long the run took.", report.duration_s
    )
    yield _metric_of_one_value(
        "diagnose_exit_code",
        "Exit code of the run: 0 nothing found, 1 warnings, 2 critical, 3 unknown.",
        code,
    )


def _roots(report: Report) -> Iterable[Sample]:
    """How many roots above advice there are, by check, severity and kind of subject."""
    loud = [finding for finding in report.findings if finding.severity > Severity.advice]
    counted = Counter(
        (finding.id, str(finding.severity), finding.subject.kind)
        for finding in loud
        if finding.root and finding.selected and not finding.silenced
    )
    for (id, severity, kind), number in sorted(counted.items()):
        yield Sample(number, {"id": id, "severity": severity, "subject_kind": kind})


def _metric_of_one_value(name: str, about: str, value: float) -> Metric:
    return Metric(name, about, (Sample(value),))


def _labels(labels: Mapping[str, str]) -> str:
    """Labels as the text format wants them: backslash, quote and newline are escaped."""
    if not labels:
        return ""
    pairs = (f'{name}="{_escaped_label(value)}"' for name, value in labels.items())
    return "{" + ",".join(pairs) + "}"


def _escaped_label(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
