"""Compose projects whose files cannot be read."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.compose.overruled_variables import overruled_variables
from diagnose.evidence.containers.compose.written_projects import written_projects
from diagnose.evidence.machine.cron_calls import job_calls
from diagnose.model import HOST, Failed, Json, Reason, Unavailable, Verdict
from tests.checks.container.written import made
from tests.hosts import Made
from tests.inspected import of
from tests.judging import judge

ANSWERS: dict[str, tuple[Json | Failed, str]] = {
    "no answer": (Failed("timed out", "after 1.5 s"), "timed out"),
    "only root": ({"services": [], "closed": "/srv/shop/compose.yaml"}, "only root may read it"),
    "broken": ({"services": [], "unread": "/srv/shop/compose.yaml: no valid YAML"}, "no valid YAML"),
    "elsewhere": ({"services": [], "closed": ""}, ""),
    "read": ({"services": [{"name": "web"}]}, ""),
}  # fmt: skip


@pytest.mark.parametrize(("answer", "why"), ANSWERS.values(), ids=ANSWERS)
def test_what_is_not_read_is_said(answer: Json | Failed, why: str) -> None:
    found = written_projects(Made({"file.compose-project": answer}), of(made("web"), made("db")))
    reasons = [unexamined.why for unexamined in found.unexamined]
    assert len(reasons) == bool(why)
    assert all(why in reason for reason in reasons)


@pytest.mark.parametrize("reason", ["remote", "not recorded"])
def test_an_engine_elsewhere_is_one_reason_for_all_projects(reason: Reason) -> None:
    host = Made({"file.compose-project": Failed(reason)})
    assert written_projects(host, of(made("web"), made("db"))) == Unavailable(reason)


def test_a_service_that_the_files_do_not_have_whole_is_not_known() -> None:
    services = [{"name": "web"}, {"name": "db", "is_partial": True}]
    web, db = made("web"), made("db")
    host = Made({"file.compose-project": {"services": services}})
    (project,) = written_projects(host, of(web, db))
    assert (project.of(web) is not None, project.of(db)) == (True, None)


def test_variables_of_the_host_that_cannot_be_read() -> None:
    project = {"services": [{"name": "web"}]}
    web = made("web", Config={"Env": ["API_KEY=a"]})
    silent = Failed("timed out", "after 1.5 s")
    host = Made({"file.compose-project": project, "host.shell-variables": silent})
    found = overruled_variables(host, written_projects(host, of(web)))
    assert [unexamined.subject for unexamined in found.unexamined] == [HOST]


JOBS: dict[str, tuple[Json | Failed, Verdict]] = {
    "closed": ({"calls": [], "closed": ["/var/spool/cron/crontabs"]}, Verdict.UNKNOWN),
    "silent": (Failed("timed out", "after 1.5 s"), Verdict.UNKNOWN),
    "of an older bundle": (Failed("not recorded", ""), Verdict.SKIPPED),
    "open": ({"calls": []}, Verdict.PASSED),
}


@pytest.mark.parametrize(("answer", "verdict"), JOBS.values(), ids=JOBS)
def test_jobs_that_cannot_be_read(answer: Json | Failed, verdict: Verdict) -> None:
    host = Made({"host.docker-jobs": answer})
    calls = job_calls(host)
    result = judge("container.job-names-nobody", job_calls=calls, containers=of(made("web")))
    assert result.verdict is verdict
