"""The check in checks/container/running/sites/maintenance_on.py, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.logs.access_lines import access_lines
from diagnose.evidence.containers.logs.recent import RecentLine
from diagnose.evidence.containers.programs.maintenance_flags import maintenance_flags
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.evidence.network.proxies.pages.failed_answers import AllFailedAnswers, FailedAnswers
from diagnose.evidence.network.proxies.pages.front_pages import FrontPage, FrontPages, HttpPort
from diagnose.live.disk.parts.chosen import only
from diagnose.questions.web_pages import PageReply, RequestPage
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

NETWORK = {"NetworkSettings": {"Networks": {"shop": {"IPAddress": "172.18.0.2"}}}}
EDGE = container("edge", State={"Status": "running", "Pid": 55}, **NETWORK)
CLOUD = container(
    "cloud", Config={"WorkingDir": "/app"}, State={"Status": "running", "Pid": 77}, **NETWORK
)
BLUE = container(
    "shop-blue-1", Config={"WorkingDir": "/app"}, State={"Status": "running", "Pid": 77}, **NETWORK
)
GREEN = container(
    "shop-green-1", Config={"WorkingDir": "/app"}, State={"Status": "running", "Pid": 88}, **NETWORK
)
NOW = 1_800_000_000.0
FAILED = '172.18.0.3 - - [28/Nov/2026:04:59:09 +0000] "GET / HTTP/1.1" {} 157 "-" "Firefox/128"'
ON = "<?php\n$CONFIG = array (\n  'maintenance' => true,\n  'dbpassword' => 'x',\n);\n"
CASES: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "Laravel": ({"artisan": "", "storage/framework/down": "{}"}, {}, "warning"),
    "Laravel behind nginx": (
        {"artisan": "", "storage/framework/down": "{}"},
        {"failing": EDGE},
        "warning",
    ),
    "a flag of another program": ({"storage/framework/down": "{}"}, {}, ""),
    "Nextcloud": ({"occ": "", "config/config.php": ON}, {}, "warning"),
    "Nextcloud at work": ({"occ": "", "config/config.php": ON.replace("true", "false")}, {}, ""),
    "a setting in a comment": (
        {"occ": "", "config/config.php": ON.replace("'maint", "// 'maint")},
        {},
        "",
    ),
    "WordPress": (
        {"wp-login.php": "", ".maintenance": "<?php $upgrading = time(); ?>"},
        {},
        "warning",
    ),
    "an update of WordPress that is long over": (
        {"wp-login.php": "", ".maintenance": "<?php $upgrading = 1764300000; ?>"},
        {},
        "",
    ),
    "Joomla": ({"configuration.php": "\tpublic $offline = '1';"}, {}, "warning"),
    "Matomo": (
        {"matomo.php": "", "config/config.ini.php": "maintenance_mode = 1\n"},
        {},
        "warning",
    ),
    "an update that may be at work": (
        {"artisan": "", "storage/framework/down": "{}"},
        {"age": 60.0},
        "advice",
    ),
    "a flag that no known program reads": ({"maintenance.flag": ""}, {}, ""),
    "a flag that the page mentions": ({"maintenance.flag": ""}, {"page": True}, "warning"),
    "the blue one beside a green one": (
        {"artisan": "", "storage/framework/down": "{}"},
        {"failing": BLUE, "others": (GREEN,)},
        "advice",
    ),
    "the blue one beside another program": (
        {"artisan": "", "storage/framework/down": "{}"},
        {"failing": BLUE, "others": (EDGE,)},
        "warning",
    ),
    "an error of another kind": (
        {"artisan": "", "storage/framework/down": "{}"},
        {"status": 502},
        "",
    ),
}


@pytest.mark.parametrize(("files", "case", "severity"), CASES.values(), ids=CASES)
def test_a_program_in_maintenance(
    files: dict[str, str], case: dict[str, Any], severity: str
) -> None:
    mtime = NOW - case.get("age", 3600.0)
    there = {f"/proc/77/root/app/{path}": text for path, text in files.items()}

    def stats(question: Any) -> dict[str, object]:
        known = {path: {"type": "file", "mtime": mtime, "uid": 33} for path in there}
        return {path: known.get(path, {"failed": "missing"}) for path in question.paths}

    def read(question: Any) -> dict[str, object]:
        return {"text": only(question.parts, there[question.root + question.path])}

    line = RecentLine(NOW - 5, FAILED.format(case.get("status", 503)))
    answers = tuple(access_lines([line] * 4))
    failing = case.get("failing", CLOUD)
    own = failing if failing is BLUE else CLOUD
    http_port = HttpPort(failing, 80, RequestPage(1, "127.0.0.1", 80))
    page = FrontPage(
        http_port, PageReply("answered", status=503, body="<h1>Under maintenance</h1>")
    )
    failed = FailedAnswers(failing, answers, of=4, is_most=True, url="")
    flags = maintenance_flags(
        Made({"file.stats": stats, "file.read": read}),
        AllFailedAnswers((failed,)),
        FrontPages((page,)) if case.get("page") else None,
        of(EDGE, own, *case.get("others", ())),
        Processes((Process(pid=77, comm="php-fpm8.3", container=own.id),)),
    )
    result = judge("container.maintenance-on", maintenance_flags=flags, clock=Clock(NOW, NOW - 9e5))
    assert rows(result) == ([(severity, own.name)] if severity else [])
