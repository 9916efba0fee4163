"""Programs that write their errors into files of their own, while `docker logs` stays empty."""

from __future__ import annotations

from tests.lab import Box, fault, healthy
from tests.lab.scenarios.programs.helpers import MACHINE

CHECK = "container.errors-in-log"
SMALL = ("--memory=64m", "--pids-limit=64", *MACHINE)
_WORKER = """
import logging, os, sys, time
path, error = sys.argv[1:]
os.makedirs(os.path.dirname(path), exist_ok=True)
handler = logging.FileHandler(path)
handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
log = logging.getLogger()
log.addHandler(handler)
log.setLevel(logging.INFO)
for number in range(5):
    old = {"levelname": "ERROR", "created": time.time() - 3600, "msg": "index is locked"}
    handler.emit(logging.makeLogRecord(old))
while True:
    log.info("looking for jobs")
    if error:
        log.error(error)
    time.sleep(1)
"""
_LDAP = (
    '{"reqId":"%s","level":3,"time":"%s","remoteAddr":"192.0.2.1","user":"--","app":"user_ldap",'
    '"method":"GET","url":"/login","message":"Lost connection to LDAP server.","exception":'
    '{"Exception":"OC\\\\\\\\ServerNotAvailableException","Trace":"%01500d"}}'
)
"""What Nextcloud writes of each login, with its trace."""
_CLOUD = (
    "mkdir -p /var/www/html/data /tmp/www; httpd -p 8080 -h /tmp/www; while :; do "
    f"printf '{_LDAP}\\n' a1 $(date -u +%Y-%m-%dT%H:%M:%S+00:00) 0 "
    ">>/var/www/html/data/nextcloud.log; sleep 1; done"
)


def _worker(box: Box, name: str, path: str, error: str) -> None:
    program = ("/usr/bin/python3", "-c", _WORKER, path, error)
    box.docker("run", "-d", f"--name={name}", *SMALL, "bb:1.36", *program)


def _wait_for(box: Box, name: str, path: str, words: str) -> None:
    def has_lines() -> bool:
        return box.docker("exec", name, "cat", path, check=False).stdout.count(words) > 4

    box.wait_for(has_lines, what=f"lines of {path}")
    assert box.docker("logs", name).stdout == ""


@fault(CHECK, subject="container:indexer1", exit_code=0)
def errors_in_a_file_of_the_layer(box: Box) -> None:
    """Python's logging has a file of the writable layer open, and nothing is printed."""
    path = "/opt/indexer/logs/worker.log"
    _worker(box, "indexer1", path, "OSError: [Errno 30] Read-only file system: '/data/queue'")
    _wait_for(box, "indexer1", path, "Errno 30")
    findings = box.diagnose("check", CHECK, "--format", "json").findings
    assert findings[0]["evidence"]["written to"] == path, findings


@fault(CHECK, subject="container:cloud1", exit_code=0)
def errors_in_a_file_of_a_volume(box: Box) -> None:
    """Nextcloud opens its log for each line; it lies below the folder of a volume."""
    options = ("--memory=64m", "--pids-limit=64", "-v", "cloud1:/var/www/html")
    box.docker("run", "-d", "--name=cloud1", *options, "bb:1.36", "sh", "-c", _CLOUD)
    _wait_for(box, "cloud1", "/var/www/html/data/nextcloud.log", "Lost connection")
    findings = box.diagnose("check", CHECK, "--format", "json").findings
    assert "nextcloud.log" in findings[0]["summary"], findings
    assert "Lost connection to LDAP server." in findings[0]["summary"], findings


@healthy()
def errors_of_an_hour_ago_in_a_file(box: Box) -> None:
    """The same program is well: its file still has the errors of an hour ago."""
    _worker(box, "indexer2", "/opt/indexer/logs/worker.log", "")
    _wait_for(box, "indexer2", "/opt/indexer/logs/worker.log", "looking for jobs")


_SILENT = "mkdir -p /opt/biller/logs; echo '{}' >>/opt/biller/logs/biller.log; exit 1"


@fault(
    "container.variable-missing",
    subject="container:biller1",
    also=["container.exits-at-start"],
    shareable=True,
)
def end_whose_reason_is_in_a_file(box: Box) -> None:
    """A program ends at its start and prints nothing: why stands in a file of its layer."""
    script = _SILENT.format("FATAL config: BILLER_DATABASE is not set")
    box.docker("run", "-d", "--name=biller1", *SMALL, "bb:1.36", "sh", "-c", script)
    box.wait_state("biller1", "exited")
    assert box.docker("logs", "biller1").stdout == ""


_SUPERVISED = """
mkdir -p /var/log/supervisor; cd /var/log/supervisor
/usr/bin/python3 -c 'import nosuchmodule' 2>>worker-stderr---supervisor-x1.log
echo "$(date -u '+%Y-%m-%d %H:%M:%S'),120 INFO gave up: worker entered FATAL state" >>supervisord.log
printf '#!/bin/sh\\nsleep 10000\\n' >/tmp/supervisord; chmod +x /tmp/supervisord
exec /tmp/supervisord
"""
"""The words and files of supervisord, whose process is a script of that name."""


@fault("container.failing-inside", subject="container:jobs1", shareable=True)
def supervisor_that_writes_files(box: Box) -> None:
    """supervisord has given a program up: that, and the program's last words, stand in files."""
    box.docker("run", "-d", "--name=jobs1", *SMALL, "bb:1.36", "sh", "-c", _SUPERVISED)
    box.wait_for(lambda: box.pids_of("supervisord"), what="the supervisor")
    assert box.docker("logs", "jobs1").stdout == ""
    findings = box.diagnose("check", "container.failing-inside", "--format", "json").findings
    (evidence,) = [
        finding["evidence"] for finding in findings if finding["subject"]["name"] == "jobs1"
    ]
    assert "nosuchmodule" in evidence["log, the reason"], findings
