"""container.cron-jobs-fail: crontabs, their scripts, and what cron passes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from diagnose.evidence.containers.programs.cron_jobs import CronJobs, cron_jobs
from diagnose.evidence.containers.programs.crontab_defects import CrontabDefects, crontab_defects
from diagnose.evidence.images.listing import Image, Images
from diagnose.evidence.machine.cron_calls import JobCall, JobCalls
from diagnose.evidence.machine.processes import Process, Processes
from diagnose.live.disk.parts.chosen import only
from diagnose.model import Failed, Json
from tests.checks.container.evidence import CLOCK, container_in
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge, rows

ROOT = "/var/spool/cron/crontabs/root"
JOB = "*/5 * * * * /usr/bin/python3 /app/job.py >>/var/log/job.log 2>&1\n"
SCRIPT = 'import os\nhost = os.environ["DB_HOST"]\n'


def of_files(files: dict[str, str], comm: str = "cron") -> CronJobs:
    """What is found in a container with these files; DB_HOST and PATH are its variables."""
    container = container_in("running", Config={"Env": ["DB_HOST=db", "PATH=/bin", "EMPTY="]})

    def read(question: Any) -> Json | Failed:
        text = files.get(question.path)
        if text is None:
            return Failed("missing", "no such file")
        shown = only(question.parts, text) if question.parts else text
        return {"text": shown, "truncated": False, "mtime": 0.0, "size": len(shown)}

    def listed(question: Any) -> Json:
        names = [path.rpartition("/")[2] for path in files if path.startswith(f"{question.path}/")]
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    process = Process(7, comm=comm, container=container.id)
    host = Made({"file.read": read, "file.list": listed})
    return cron_jobs(host, of(container), Processes((process,)))


@pytest.mark.parametrize(
    ("files", "comm", "found"),
    [
        ({ROOT: JOB, "/app/job.py": SCRIPT}, "cron", ("/app/job.py", ("DB_HOST",))),
        ({"/etc/cron.d/app": "@daily root /app/job.py\n", "/app/job.py": SCRIPT}, "cron", ("/app/job.py", ("DB_HOST",))),
        ({ROOT: "0 4 * * * pg_dump -h $DB_HOST shop\n"}, "cron", (ROOT, ("DB_HOST",))),
        ({ROOT: f"DB_HOST=db\n{JOB}", "/app/job.py": SCRIPT}, "cron", None),
        ({ROOT: f"# {JOB}", "/app/job.py": SCRIPT}, "cron", None),
        ({ROOT: "0 4 * * * . /env.sh; /app/job.py\n", "/app/job.py": SCRIPT}, "cron", None),
        ({ROOT: JOB, "/app/job.py": SCRIPT, "/etc/environment": 'DB_HOST="db"\n'}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "source /env\necho $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "DB_HOST=db\necho $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "echo ${DB_HOST:-db} $OTHER $EMPTY $PATH\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "require $_ENV['DB_HOST'];\n"}, "cron", ("/app/job.py", ("DB_HOST",))),
        ({ROOT: JOB, "/app/job.py": "process.env.DB_HOST\n"}, "cron", ("/app/job.py", ("DB_HOST",))),
        ({ROOT: f"SHELL=/bin/bash\nBASH_ENV=/env.sh\n{JOB}", "/app/job.py": SCRIPT}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "if true; then\n    . /env\nfi\necho $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "[ -f /env ] && . /env; echo $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "if true; then source /env; fi; echo $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "export $(cat /env)\necho $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": f"from dotenv import load_dotenv\nload_dotenv()\n{SCRIPT}"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "# dumps $DB_HOST\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": 'os.environ.get("DB_HOST", "db")\n'}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "connect(process.env.DB_HOST || 'db')\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": "getenv('DB_HOST') ?: 'db'\n"}, "cron", None),
        ({ROOT: JOB, "/app/job.py": 'open(os.environ["DB_HOST"], 5)\n'}, "cron", ("/app/job.py", ("DB_HOST",))),
        ({ROOT: JOB, "/app/job.py": SCRIPT}, "crond", None),
        ({ROOT: JOB, "/app/job.py": SCRIPT}, "nginx", None),
    ],
)  # fmt: skip
def test_jobs_without_variables(files: dict[str, str], comm: str, found: Any):
    jobs = [(job.script, job.variables) for job in of_files(files, comm)]
    assert jobs == ([found] if found else [])


@pytest.mark.parametrize(
    ("users", "names"), [("root:x:0:0::/:\n", ["docker"]), ("docker:x:1:1::/:\n", []), ("", [])]
)
def test_crontabs_of_nobody(users: str, names: list[str]):
    files = {"/var/spool/cron/crontabs/docker": JOB, "/etc/passwd": users}
    assert [crontab.user for crontab in of_files(files, "crond").ownerless] == names


def test_findings_and_their_cures():
    files = {ROOT: JOB, "/app/job.py": SCRIPT, "/etc/passwd": "app:x:1:1::/:\n"}
    found = of_files(files)
    result = judge("container.cron-jobs-fail", cron_jobs=found, crontab_defects=CrontabDefects())
    assert rows(result) == [("warning", "web"), ("warning", "web")]
    bare, ownerless = result.findings
    assert bare.variables["scheduling"] == "web"
    assert ownerless.variables["absent"] == "root"


def test_only_names_of_a_crontab_are_kept():
    kept = only(
        "jobs", f"TOKEN=made-up-secret\n{JOB}0 1 * * * curl -u me:made-up-secret x $HOST_A\n"
    )
    assert "made-up-secret" not in kept
    assert kept.splitlines() == [
        "TOKEN=",
        "/usr/bin/python3 /app/job.py /var/log/job.log",
        "$HOST_A",
    ]


DEFECTS = {
    "a dot in its name": ("/etc/cron.d/backup.sh", "0 3 * * * root /b.sh\n", {}, "name"),
    "a copy of an editor": ("/etc/cron.d/backup.2026-01-01", "0 3 * * * root /b.sh\n", {}, ""),
    "a package's file": ("/etc/cron.d/php.dpkg-new", "0 3 * * * root /b.sh\n", {}, ""),
    "written by all": ("/etc/cron.d/backup", "0 3 * * * root /b.sh\n", {"mode": 0o666}, "mode"),
    "of another owner": ("/etc/cron.d/backup", "0 3 * * * root /b.sh\n", {"uid": 1000}, "owner"),
    "an older recording": ("/etc/cron.d/backup", "0 3 * * * root /b.sh\n", {"mode": None}, ""),
    "no end": ("/etc/cron.d/backup", "0 3 * * * root /b.sh", {}, "open"),
    "a comment without an end": ("/etc/cron.d/backup", "0 3 * * * root /b.sh\n# end", {}, ""),
    "no user": ("/etc/cron.d/backup", "0 3 * * * /b.sh\n", {}, "command"),
    "a user like a program": ("/etc/cron.d/backup", "@daily node node /b.js\n", {}, ""),
    "root of a user namespace": (
        "/etc/cron.d/backup",
        "0 3 * * * root /b.sh\n",
        {"uid": 1000, "of_root": 1000},
        "",
    ),
    "a program like a user": (
        ROOT,
        "0 3 * * * backup /data\n@daily git -C / pull\n",
        {"mode": 0o600},
        "",
    ),
    "a program as its user": ("/etc/cron.d/backup", "@daily php /b.php\n", {}, "command"),
    "a percent sign": ("/etc/cron.d/backup", "0 3 * * * root tar c $(date +%F)\n", {}, "percent"),
    "an escaped percent sign": ("/etc/cron.d/a", "0 3 * * * root tar $(date +\\%F)\n", {}, ""),
    "a Windows line ending": ("/etc/cron.d/backup", "0 3 * * * root /b.sh\r\n", {}, "return"),
    "a user in a user's table": (ROOT, "0 3 * * * root /b.sh\n", {"mode": 0o600}, "user"),
    "a user's table that all read": (ROOT, "0 3 * * * /b.sh\n", {}, "mode"),
    "a user's table": (ROOT, "0 3 * * * /b.sh\n", {"mode": 0o600}, ""),
    "as it should be": ("/etc/cron.d/backup", "0 3 * * * root /b.sh >>/log 2>&1\n", {}, ""),
    "a script for run-parts": ("/etc/cron.daily/backup.sh", "#!/bin/sh\n", {}, "name"),
}


def defects_of(
    path: str,
    text: str,
    state: dict[str, Any],
    comm: str = "cron",
    name: str = "cron",
    digests: Sequence[str] = (),
) -> Any:
    """What is found in a container of which one process has this name.

    comm: with the words of its command line where the name has more than one.
    digests: of its image, which came from a registry then.
    """
    container = container_in("running", name=name)
    users = "".join(f"{name}:x:0:0::/:\n" for name in ("root", "node", "backup", "git"))
    files = {path: text, "/etc/passwd": users}
    state = dict(state)
    of_root = state.pop("of_root", 0)

    def read(question: Any) -> Json | Failed:
        text = files.get(question.path)
        if text is None:
            return Failed("missing", "no such file")
        if question.path == "/etc/passwd":
            return {"text": text, "size": len(text), "mode": 0o644, "uid": of_root}
        shown = only(question.parts, text) if question.parts else text
        return {"text": shown, "size": len(text), "mode": 0o644, "uid": 0, **state}

    def listed(question: Any) -> Json:
        names = [p.rpartition("/")[2] for p in files if p.rpartition("/")[0] == question.path]
        return {"entries": [{"name": name, "type": "file"} for name in names]}

    host = Made({"file.read": read, "file.list": listed})
    words = comm.split()
    process = Process(7, comm=words[0], cmdline=words[:2], container=container.id)
    images = Images((Image(id=container.image, repo_digests=list(digests)),))
    return crontab_defects(host, of(container), Processes((process,)), images, CLOCK, None)


@pytest.mark.parametrize(("path", "text", "state", "kind"), DEFECTS.values(), ids=DEFECTS)
def test_crontabs_that_cron_does_not_use(path: str, text: str, state: Any, kind: str) -> None:
    found = defects_of(path, text, state)
    assert [defect.kind for defect in found] == ([kind] if kind else [])
    result = judge("container.cron-jobs-fail", cron_jobs=CronJobs(), crontab_defects=found)
    assert rows(result) == ([("warning", "cron")] if kind else [])


@pytest.mark.parametrize(
    ("comm", "text", "kinds"),
    [
        ("crond", "0 3 * * * root /b.sh\n", ["user"]),
        ("crond", "0 3 * * * /b.sh", []),
        ("python3", "0 3 * * * /b.sh\n", ["daemon"]),
        ("supercronic", "0 3 * * * /b.sh\n", []),
        ("busybox crond -f", "0 3 * * * root /b.sh\n", ["user"]),
        ("busybox crond -f", "0 3 * * * /b.sh\n", []),
        ("busybox httpd -f", "0 3 * * * /b.sh\n", ["daemon"]),
        ("python3", "25 6 * * * run-parts /etc/periodic/daily\n", []),
        ("python3", "0 3 * * * test -x /usr/bin/certbot && certbot renew\n", []),
    ],
)
def test_other_programs_than_the_cron_of_debian(comm: str, text: str, kinds: list[str]) -> None:
    assert [defect.kind for defect in defects_of(ROOT, text, {}, comm)] == kinds


@pytest.mark.parametrize(("name", "severity"), [("cron", "warning"), ("web", "advice")])
def test_a_crontab_of_an_image_is_advice_where_nobody_asks_for_cron(
    name: str, severity: str
) -> None:
    found = defects_of(ROOT, "0 3 * * * /b.sh\n", {}, "apache2", name)
    result = judge("container.cron-jobs-fail", cron_jobs=CronJobs(), crontab_defects=found)
    assert rows(result) == [(severity, name)]
    pulled = defects_of(ROOT, "0 3 * * * /b.sh\n", {}, "apache2", name, ["cloud@sha256:1"])
    assert bool(len(pulled)) == (name == "cron")


@pytest.mark.parametrize(
    ("source", "others", "kinds"),
    [
        ("/srv/jobs", "python3", ["daemon"]),
        ("/srv/jobs", "supercronic", []),
        ("/etc/cron.d", "python3", []),
        ("", "python3", ["daemon"]),
        ("", "supercronic", []),
    ],
)
def test_a_crontab_that_something_else_runs(source: str, others: str, kinds: list[str]) -> None:
    """others: the process of another container of the same image."""
    mount = {"Type": "bind", "Source": source, "Destination": "/etc/cron.d", "RW": False}
    mounts = [mount] if source else []
    web = container_in("running", name="web" if source else "web-cron", age=90, Mounts=mounts)
    jobs = container_in("running", name="jobs", age=90, Mounts=mounts)
    host = Made(
        {
            "file.read": {"text": "jobs 1", "size": 6, "mode": 0o644, "uid": 0},
            "file.list": {"entries": [{"name": "backup", "type": "file"}]},
        }
    )
    running = (("gunicorn", web), (others, jobs))
    processes = [
        Process(7 + at, comm=comm, container=own.id) for at, (comm, own) in enumerate(running)
    ]
    found = crontab_defects(host, of(web, jobs), Processes(tuple(processes)), None, CLOCK, None)
    assert [defect.kind for defect in found if defect.container.id == web.id] == kinds


@pytest.mark.parametrize(
    ("labels", "calls", "kinds"),
    [
        ({}, [], ["daemon"]),
        ({"ofelia.job-exec.dump.schedule": "@daily"}, [], []),
        ({}, [JobCall("/etc/cron.d/shop", 1, "exec", "web-cron")], []),
        ({}, [JobCall("/etc/cron.d/shop", 1, "exec", "other")], ["daemon"]),
    ],
)
def test_a_crontab_whose_jobs_somebody_runs_from_outside(
    labels: dict[str, str], calls: list[JobCall], kinds: list[str]
) -> None:
    web = container_in("running", name="web-cron", age=90, Config={"Labels": labels})
    host = Made(
        {
            "file.read": {"text": "jobs 1", "size": 6, "mode": 0o644, "uid": 0},
            "file.list": {"entries": [{"name": "backup", "type": "file"}]},
        }
    )
    processes = Processes((Process(7, comm="gunicorn", container=web.id),))
    found = crontab_defects(host, of(web), processes, None, CLOCK, JobCalls(tuple(calls)))
    assert [defect.kind for defect in found] == kinds
