"""The roots of a report as OpenTelemetry log records, by the official SDK: the extra `otlp`.

They go to a collector over OTLP/HTTP, all in one request. The SDK's usual variables add what a site
needs: OTEL_EXPORTER_OTLP_HEADERS for a token, OTEL_EXPORTER_OTLP_CERTIFICATE for its own authority,
OTEL_RESOURCE_ATTRIBUTES for labels.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from diagnose import runbooks
from diagnose.judgement.signature import signature
from diagnose.model import Report, Reported, Severity
from diagnose.render.words import clean

MISSING = "--otlp needs packages that are not here: pip install 'docker-host-diagnose[otlp]'"
EVENT = "diagnose.root"
"""The name of the event that each record is."""
TIMEOUT_S = 5
"""For the whole export, with the SDK's own repetitions."""
LOGS_PATH = "/v1/logs"
"""Where a collector takes logs; the specification of OTLP/HTTP."""

_ERRNO = re.compile(r"\[Errno -?\d+\] ([^\"')]+)")


class SendError(Exception):
    """The records could not be sent; one clear sentence."""


def send(url: str, report: Report) -> int:
    """Send a record for each root above advice to the collector. Gives the number of records.

    url: its base address, or the whole one of its logs. SendError where a package is missing, or
    the collector does not take them.
    """
    try:
        from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
        from opentelemetry.sdk._logs.export import LogRecordExportResult
    except ModuleNotFoundError:
        raise SendError(MISSING) from None
    batch = _records(report)
    if not batch:
        return 0
    with _Complaints() as complaints:
        exporter = OTLPLogExporter(endpoint=_logs_url(url), timeout=TIMEOUT_S)
        result = exporter.export(batch)
        exporter.shutdown()
    if result is not LogRecordExportResult.SUCCESS:
        raise SendError(f"cannot send to {urlsplit(url).netloc}: {complaints.reason}")
    return len(batch)


def _records(report: Report) -> Any:
    """The records as the SDK hands them to an exporter."""
    from opentelemetry._logs import SeverityNumber
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource

    number = {
        Severity.critical: SeverityNumber.ERROR2,  # as the specification maps syslog's critical
        Severity.warning: SeverityNumber.WARN,
    }
    provider = LoggerProvider(Resource.create(dict(_resource(report))), shutdown_on_exit=False)
    memory = InMemoryLogRecordExporter()
    provider.add_log_record_processor(SimpleLogRecordProcessor(memory))
    logger = provider.get_logger("diagnose", report.version)
    taken_at = _nanoseconds(report.taken_at)
    place = runbooks.Place.of(report)
    for finding in _roots(report):
        onset = finding.finding.onset
        logger.emit(
            timestamp=taken_at if onset is None else _nanoseconds(onset),
            observed_timestamp=taken_at,
            severity_number=number[finding.severity],
            severity_text=str(finding.severity),
            body=clean(finding.finding.summary),
            attributes=dict(_attributes(finding, report, place)),
            event_name=EVENT,
        )
    return memory.get_finished_logs()


def _roots(report: Report) -> Iterator[Reported]:
    for finding in report.findings:
        is_loud = finding.severity > Severity.advice and not finding.silenced
        if finding.root and finding.selected and is_loud:
            yield finding


def _resource(report: Report) -> Iterator[tuple[str, str]]:
    """The host, by OpenTelemetry's names where it has them.

    The host is the instance of the service: the SDK would draw a new instance for each run, and
    Loki makes a new stream of each.
    """
    profile = report.profile
    host = clean(profile.name if profile and profile.name else report.host.name)
    machine = profile.machine if profile else ""
    yield "service.name", "diagnose"
    yield "service.version", report.version
    yield "service.instance.id", machine or host
    yield "host.name", host
    if profile is None:
        return
    if profile.machine:
        yield "host.id", profile.machine
    for name, value in profile.labels.items():
        yield f"diagnose.label.{clean(name)}", clean(value)


def _attributes(
    finding: Reported, report: Report, place: runbooks.Place
) -> Iterator[tuple[str, str | list[str]]]:
    """The attributes of a root's log record, beside its summary."""
    yield "diagnose.id", finding.id
    yield "diagnose.key", clean(finding.key)
    yield "diagnose.signature", clean(signature(finding.id, finding.subject, finding.finding))
    yield "diagnose.subject.kind", finding.subject.kind
    yield "diagnose.subject.name", clean(finding.subject.name)
    yield "diagnose.runbook", f"runbooks/{finding.id}.md"
    effects = {
        effect.id
        for effect in report.findings
        for link in effect.causes
        if link.cause == finding.key
    }
    if effects:
        yield "diagnose.explains", sorted(effects)
    cure = runbooks.cure_of(finding, place)
    if cure is not None:
        yield "diagnose.fix", clean(cure.text)
        yield "diagnose.fix.risk", cure.risk


def _logs_url(url: str) -> str:
    """The address of a collector's logs, for its base address too."""
    return url.rstrip("/") + LOGS_PATH if urlsplit(url).path in ("", "/") else url


def _nanoseconds(moment: float) -> int:
    return int(moment * 1_000_000) * 1_000


class _Complaints(logging.Handler):
    """The SDK's messages about a failed export: it logs the reason, and returns none.

    While it listens, nothing of them reaches stderr.
    """

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._texts: list[str] = []
        self._logger = logging.getLogger("opentelemetry")

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(clean(record.getMessage()))

    @property
    def reason(self) -> str:
        """The operating system's error, if the SDK logged one; otherwise its last message."""
        for text in self._texts:
            of_the_system = _ERRNO.search(text)
            if of_the_system:
                return of_the_system[1]
        return self._texts[-1].rstrip(".\n") if self._texts else "it gave no reason"

    def __enter__(self) -> _Complaints:
        self._propagated = self._logger.propagate
        self._logger.propagate = False
        self._logger.addHandler(self)
        return self

    def __exit__(self, *_: object) -> None:
        self._logger.removeHandler(self)
        self._logger.propagate = self._propagated
