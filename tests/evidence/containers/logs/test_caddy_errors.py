"""Caddy's two lines about one request that failed."""

from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent_line import RecentLine

REQUEST = '"request":{"method":"GET","host":"shop.example.com","uri":"/"},"status":502'
ERROR = (
    '{"level":"error","logger":"http.log.error","msg":"dial tcp [::1]:8000: connect:'
    f' connection refused",{REQUEST}}}'
)
HANDLED = f'{{"level":"error","logger":"http.log.access","msg":"handled request",{REQUEST}}}'


def test_a_request_is_counted_by_the_line_that_says_it_was_handled():
    lines = [RecentLine(1.0, ERROR), RecentLine(1.0, HANDLED)]
    assert [line.line for line in access_lines(lines)] == [HANDLED]


def test_an_error_is_a_request_where_caddy_logs_no_requests():
    assert [line.line for line in access_lines([RecentLine(1.0, ERROR)])] == [ERROR]
