"""The check container.worker-missing, and the evidence that it reads."""

from typing import Any

import pytest

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.programs.absent_workers import absent_workers
from diagnose.evidence.machine.cron_calls import JobCall, JobCalls
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.model import Failed
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

REDIS = "QUEUE_CONNECTION=redis"
BROKER = "CELERY_BROKER_URL=redis://:x@redis:6379/0"
CODE = {"artisan": "", "app/Jobs/Mail.php": ""}
PLANNED = {"artisan": "", "routes/console.php": "Schedule::command('x')->daily();"}
SCHEDULE = "app.conf.beat_schedule = {\n    'x': {},\n}\n"
BEAT: dict[str, Any] = {
    "env": ["CELERY_LOG=info"],
    "files": {"celery_app.py": SCHEDULE},
    "comm": "python3",
    "line": ["python3", "/bin/celery", "-A", "app.worker", "worker"],
}
CASES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "a queue of Laravel": ({"env": [REDIS]}, ["queue"]),
    "a queue in its file": ({"files": {**CODE, ".env": "QUEUE_CONNECTION=database"}}, ["queue"]),
    "jobs within the request": ({"env": ["QUEUE_CONNECTION=sync"]}, []),
    "no jobs in the code": ({"env": [REDIS], "files": {"artisan": ""}}, []),
    "no Laravel": ({"env": [REDIS], "files": {"app/Jobs/Mail.php": ""}}, []),
    "for developers": ({"env": [REDIS], "files": {**CODE, ".env": "APP_ENV=local"}}, []),
    "a worker in the container": (
        {"env": [REDIS], "line": ["php", "artisan", "queue:work", "--tries=3"]},
        [],
    ),
    "Horizon in the container": ({"env": [REDIS], "line": ["php", "artisan", "horizon"]}, []),
    "another process of PHP": ({"env": [REDIS], "line": ["php", "-v"]}, ["queue"]),
    "a worker beside it": ({"env": [REDIS], "beside": "queue"}, []),
    "a worker that is stopped": ({"env": [REDIS], "beside": "worker", "stopped": True}, []),
    "a cron beside it": ({"env": [REDIS], "comm": "crond"}, []),
    "a cron of another kind": ({"env": [REDIS], "comm": "go-crond"}, []),
    "a script with such a name": ({"files": PLANNED, "comm": "run_schedule.sh"}, []),
    "a script that a shell runs": (
        {"files": PLANNED, "comm": "sh", "line": ["sh", "/run_schedule.sh"]},
        [],
    ),
    "another script": ({"files": PLANNED, "comm": "sh", "line": ["sh", "/start.sh"]}, ["schedule"]),
    "a cron that calls containers": ({"files": PLANNED, "comm": "php", "calls": "ofelia"}, []),
    "Celery with a title": ({"env": [BROKER], "files": {}, "comm": "[celeryd: celer"}, []),
    "Celery within the request": (
        {"env": [BROKER, "CELERY_TASK_ALWAYS_EAGER=True"], "files": {}, "comm": "python3"},
        [],
    ),
    "a crontab of the host": ({"env": [REDIS], "crontab": "* * * * * docker exec app php artisan"}, []),
    "a job of the host": ({"env": [REDIS], "called": "app"}, []),
    "labels with jobs": ({"env": [REDIS], "labels": {"ofelia.job-exec.x.command": "php artisan"}}, []),
    "a schedule": ({"files": PLANNED}, ["schedule"]),
    "a schedule in comments": (
        {"files": {"artisan": "", "app/Console/Kernel.php": "        // $schedule->command('x')"}},
        [],
    ),
    "a schedule that is called": ({"files": PLANNED, "line": ["php", "artisan", "schedule:work"]}, []),
    "a broker of Celery": ({"env": [BROKER], "files": {}, "comm": "python3"}, ["celery"]),
    "a broker elsewhere": ({"env": [BROKER.replace("redis:6", "r.lab.test:6")], "files": {}}, []),
    "Celery in the container": ({"env": [BROKER], "files": {}, "comm": "celery"}, []),
    "Celery by Python": (
        {"env": [BROKER], "files": {}, "comm": "python3", "line": ["python3", "-m", "celery"]},
        [],
    ),
    "a schedule of Celery": (BEAT, ["beat"]),
    "a worker that is its own beat": ({**BEAT, "line": [*BEAT["line"], "-B"]}, []),
    "a beat beside it": ({**BEAT, "beside": "beat"}, []),
    "no worker": ({**BEAT, "line": ["python3", "-m", "celery", "flower"]}, []),
    "no schedule": ({**BEAT, "files": {"celery_app.py": "app = Celery()\n"}}, []),
    "a schedule in a comment": ({**BEAT, "files": {"celery_app.py": f"# {SCHEDULE}"}}, []),
    "a schedule without entries": (
        {**BEAT, "files": {"celery_app.py": "app.conf.beat_schedule = {}\n"}}, [],
    ),
}  # fmt: skip


@pytest.mark.parametrize(("case", "expected"), CASES.values(), ids=CASES)
def test_programs_and_their_workers(case: dict[str, Any], expected: list[str]) -> None:
    containers = _containers(case)
    app = containers[0]
    processes = Processes(
        (
            Process(pid=1, comm="php-fpm", container=app.id),
            Process(pid=2, comm=case.get("comm", "php"), container=app.id),
            Process(pid=3, comm=case.get("calls", "sleep"), container=f"{'jobs':0<64}"),
        )
    )
    calls = JobCalls((JobCall("/etc/crontab", 3, "exec", case.get("called", "other")),))
    found = absent_workers(_host(case), of(*containers), processes, calls)
    result = judge("container.worker-missing", absent_workers=found)
    assert [absent.kind for absent in found] == expected
    assert rows(result) == [("advice", "app")] * len(expected)


def _containers(case: dict[str, Any]) -> list[Container]:
    network = {"Networks": {"shop": {}}}

    def labels(service: str) -> dict[str, str]:
        own = case.get("labels", {}) if service == "app" else {}
        return {"com.docker.compose.project": "s", "com.docker.compose.service": service, **own}

    config = {"Env": case.get("env", []), "WorkingDir": "/srv", "Labels": labels("app")}
    app = container("app", Config=config, NetworkSettings=network)
    redis = container(
        "redis", Image="sha256:2", Config={"Labels": labels("redis")}, NetworkSettings=network
    )
    socket = {"Type": "bind", "Source": "/run/docker.sock", "Destination": "/run/docker.sock"}
    beside = [container("jobs", Image="sha256:3", Mounts=[socket])] if "calls" in case else []
    if "beside" in case:
        state = {"State": {"Status": "exited", "Pid": 0}} if case.get("stopped") else {}
        beside += [container("other", Config={"Labels": labels(case["beside"])}, **state)]
    return [app, redis, *beside]


def _host(case: dict[str, Any]) -> Made:
    files = {f"/srv/{name}": f"\n{text}" for name, text in case.get("files", CODE).items()}

    def listed(question: Any) -> Any:
        names = [path.rpartition("/")[2] for path in files if path.startswith(f"{question.path}/")]
        if question.path == "/etc/cron.d" and "crontab" in case:
            names = ["shop"]
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    def found(question: Any) -> Any:
        text = files.get(question.path, "")
        if question.path == "/etc/cron.d/shop":
            text = case.get("crontab", "")
        return [word for word in question.texts if word in text] if text else Failed("missing")

    def looked_at(question: Any) -> Any:
        inner = {path: path.removeprefix("/proc/100/root") for path in question.paths}
        return {
            path: {"type": "file"} if inside in files else {"failed": "missing"}
            for path, inside in inner.items()
        }

    return Made(
        {
            "file.list": listed,
            "file.texts": found,
            "file.stats": looked_at,
            "process": {"pid": 2, "cmdline": case.get("line", ["php", "-v"])},
        }
    )
