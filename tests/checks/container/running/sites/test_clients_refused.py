"""container.clients-refused: refusals in the logs of mail servers."""

from __future__ import annotations

import time

import pytest

from diagnose.evidence.containers.logs.recent import RecentLogs
from diagnose.evidence.containers.logs.recent_line import RecentLine
from diagnose.evidence.containers.logs.refusing_servers import refusing_servers
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.containers import ReadContainerFile
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

POSTFIX = (
    "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[{0}]: 450 4.7.1 <mail{0}.example>: "
    "Helo command rejected: Host not found; from=<a@b.example> to=<c@d.example> proto=ESMTP"
)
OTHER = (
    "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[{0}]: 554 5.7.1 <c@d.example>: "
    "Relay access denied; from=<a@b.example> to=<c@d.example> proto=ESMTP"
)
EXIM = "H=(mail.example) [{0}] F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted"
GREYLISTED = (
    "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[{0}]: 450 4.2.0 <c@d.example>: "
    "Recipient address rejected: Greylisted; from=<a@b.example> to=<c@d.example> proto=ESMTP"
)
FAULT = (
    "postfix/smtpd[71]: NOQUEUE: reject: RCPT from unknown[{0}]: 451 4.3.0 <c@d.example>: "
    "Temporary lookup failure; from=<a@b.example> to=<c@d.example> proto=ESMTP"
)
TAKEN = "postfix/smtpd[71]: 4F1A2B3C4D: client=mail.example[192.0.2.7]"
SHUT_IN = "smtp      inet  n       -       y       -       -       smtpd\n"
OPEN = "smtp      inet  n       -       n       -       -       smtpd\n"
FOUR = [f"192.0.2.{number}" for number in range(4)]
INNER = [f"172.18.0.{number}" for number in range(2, 6)]
ADVICE, WARNING = [("advice", "web")], [("warning", "web")]
CASES: dict[str, tuple[list[str], str, str | None, list[tuple[str, str]]]] = {
    "names that are not found": ([POSTFIX.format(who) for who in FOUR], OPEN, "", []),
    "names of this host's programs": ([POSTFIX.format(who) for who in INNER], OPEN, "", ADVICE),
    "without a resolver inside": ([POSTFIX.format(who) for who in FOUR], SHUT_IN, None, WARNING),
    "an empty one inside": ([POSTFIX.format(who) for who in FOUR], SHUT_IN, "# none", WARNING),
    "a resolver inside": (
        [POSTFIX.format(who) for who in FOUR], SHUT_IN, "nameserver 127.0.0.11", [],
    ),
    "bots that look for a relay": ([OTHER.format(who) for who in FOUR], OPEN, "", []),
    "programs that may not send": ([OTHER.format(who) for who in INNER], OPEN, "", ADVICE),
    "bots at Exim": ([EXIM.format(who) for who in FOUR], OPEN, "", []),
    "programs at Exim": ([EXIM.format(who) for who in INNER], OPEN, "", ADVICE),
    "greylisted ones": ([GREYLISTED.format(who) for who in FOUR], OPEN, "", []),
    "a fault of its own": ([FAULT.format(who) for who in FOUR], OPEN, "", ADVICE),
    "a mail that was taken": ([*[POSTFIX.format(who) for who in FOUR], TAKEN], OPEN, "", []),
    "several reasons": ([POSTFIX.format(FOUR[0]), *[OTHER.format(who) for who in FOUR]], OPEN, "", []),
    "one client": ([POSTFIX.format(FOUR[0])] * 5, OPEN, "", []),
    "few": ([POSTFIX.format(who) for who in FOUR[:3]], OPEN, "", []),
}  # fmt: skip


EXIM_WITH_HELO = (
    "H=([192.168.1.5]) [{0}]:4 F=<a@b.example> rejected RCPT <c@d.example>: relay not permitted"
)
CASES["bots that call themselves inner machines"] = (
    [EXIM_WITH_HELO.format(who) for who in FOUR], OPEN, "", [],
)  # fmt: skip
LONG = {"H=": 60000, "H=[1.2.3.4] ": 15000, "NOQUEUE: reject: RCPT from a[1.1.1.1]: 450 ": 4000}


@pytest.mark.parametrize(("part", "times"), LONG.items())
def test_a_long_line_takes_no_time(part: str, times: int) -> None:
    lines = tuple(RecentLine(1.0, f"{part * times}rejected") for _ in range(50))
    web = container()
    began = time.process_time()
    refusing_servers(Made({}), of(web), RecentLogs({web.id: lines}))
    assert time.process_time() - began < 1.5


@pytest.mark.parametrize(("lines", "services", "resolver", "expected"), CASES.values(), ids=CASES)
def test_refusals(
    lines: list[str], services: str, resolver: str | None, expected: list[tuple[str, str]]
) -> None:
    def file(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ReadContainerFile)
        text = services if question.path.endswith("master.cf") else resolver
        return Failed("gone", question.path) if text is None else {"text": text}

    web = container()
    recent = RecentLogs({web.id: tuple(RecentLine(1.0, line) for line in lines)})
    found = refusing_servers(Made({"api.archive": file}), of(web), recent)
    assert rows(judge("container.clients-refused", refusing_servers=found)) == expected
