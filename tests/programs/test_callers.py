"""What a server tells of its callers explains no end of it; what a program tells of its own calls
does."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.programs.callers import is_about_a_caller

CALLERS = (
    '2026-03-12 11:17:28.425 +03 [539] shop@shop FATAL:  password authentication failed for user "shop"',
    "postfix/smtp[12]: 4F: to=<a@shop.example>, status=bounced (host mx[192.0.2.6] said: 550 unknown)",
    '192.0.2.7 - - [05/Apr/2026:04:45:57 +0200] "GET /a?x=permission+denied HTTP/1.1" 404 118 "-" "b"',
    "[error] 8#8: *23 connect() failed (111: refused), client: 192.0.2.8, server: shop, request: x",
    "[core:error] [pid 7005] [client 192.0.2.9:14532] AH00126: Invalid URI in request GET /..",
    "Invalid user admin from 192.0.2.10 port 56762",
    "input_userauth_request: invalid user ghost [preauth]",
    "sshd[1761]: Failed password for invalid user www from 192.0.2.11 port 56816 ssh2",
    "postfix/smtpd[8738]: NOQUEUE: reject: RCPT from unknown[192.0.2.12]: 554 5.7.1 Relay access denied",
    "auth: pam(user@shop.example,192.0.2.13,<x>): pam_authenticate() failed: Permission denied",
    "named[3935]: client 192.0.2.14#4795: query 'shop.example/NS/IN' denied",
    "Logon Login failed for user 'SA'. Reason: Password did not match. [CLIENT: 172.17.0.3]",
    "8 [Warning] Access denied for user 'root'@'172.17.0.1' (using password: NO)",
    '{"s":"I","c":"ACCESS","msg":"Authentication failed","attr":{"error":"UserNotFound"}}',
    '2026-03-12 11:17:28.425 UTC [539] FATAL:  password authentication failed for user "zysk"',
    '2026-03-12 11:17:28.425 UTC [539] ERROR:  relation "articles" does not exist at character 15',
    "2026-03-12 11:17:28.425 UTC [28] FATAL:  terminating autovacuum process due to administrator command",
    "ERROR login failed: unknown user, remote_ip=192.0.2.15 path=/api/first",
    "named[3935]: client @0x7f65100ee4d8 192.0.2.14#4795 (shop.example): query 'a/ANY/IN' denied",
    '[client "10.0.1.5"] Coraza: Warning. HTTP parameter pollution [file "/rules/921.conf"]',
    "ERROR    2026-07-16T19:43:16 - Incorrect username or password from 127.0.0.1",
    "ERROR security.FailureHandler [qtp877-1176] Failed login attempt from IP: [::1]",
    "[shop::api::admin][ERROR] Invalid admin token. IP: ::1",
    '[shop::api][ERROR] Username or password is incorrect. Try again. IP: 10.0.1.5. Username: "a"',
    'web_php[118].ERR [10.0.1.5] [Login denied for user "anna"] at /app/auth.php line 313',
)
OF_ITS_OWN = (
    '2026-03-12 11:17:28 ERROR connection to server at "db" failed: FATAL:  password authentication failed',
    '2026-03-12 11:17:28 psycopg2.errors.UndefinedTable: ERROR:  relation "users" does not exist',
    "fatal: the licence server said: 403 forbidden",
    "ERROR 1045 (28000): Access denied for user 'shop'@'172.18.0.5' (using password: YES)",
    "SQLSTATE[HY000] [1045] Access denied for user 'shop'@'shop.shop_default' (using password: YES)",
    'connection to server at "db" (172.18.0.2), port 5432 failed: FATAL:  password authentication failed',
    'psql:/docker-entrypoint-initdb.d/1.sql:3: ERROR:  relation "articles" does not exist',
    'https://api.shop.example:443 "GET /v2/ HTTP/1.1" 403 access denied',
    "dial tcp: lookup db on 192.0.2.53:53: no such host",
    "ERROR mail: invalid credentials from server 192.0.2.16:587",
    "fatal: login failed at imap://192.0.2.16:143",
    "cannot reach the broker: remote_addr=192.0.2.16:5672: connection refused",
    '2026-03-12 11:17:28 UTC [1] FATAL:  could not create lock file "postmaster.pid": Permission denied',
)
END = "fatal: stage pricing ended"


@pytest.mark.parametrize("line", CALLERS)
def test_what_a_caller_met_explains_no_end(line: str):
    assert is_about_a_caller(line)
    tail = LogTail((line, END, line))
    assert tail.telling is not None
    assert tail.telling.text == END
    assert tail.failure is None


@pytest.mark.parametrize("line", CALLERS)
def test_a_caller_alone_explains_nothing(line: str):
    tail = LogTail(("listening on port 8080", line))
    assert not tail.explains
    assert tail.failure is None


@pytest.mark.parametrize("line", OF_ITS_OWN)
def test_what_a_program_met_itself_explains_its_end(line: str):
    assert not is_about_a_caller(line)
    assert LogTail((line,)).explains
