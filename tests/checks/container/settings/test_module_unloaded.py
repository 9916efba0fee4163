"""container.module-unloaded: settings of modules, and the lists of modules that programs load."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.settings.unloaded_modules import unloaded_modules
from diagnose.model import Failed, Json
from diagnose.questions import Question
from diagnose.questions.containers import ReadContainerFile
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

ADVICE = [("advice", "web")]
CHANNELS = {"Env": ["ODOO_QUEUE_JOB_CHANNELS=root:4"], "Cmd": ["odoo", "--workers=4"]}
CRON = ["-c", "cron.database_name=shop"]
CONF = "#shared_preload_libraries = ''\t# (change requires restart)\n"
ODOO, POSTGRES = "odoo:16", "citusdata/postgres:16"
CASES: dict[str, tuple[str, dict[str, Any], str, list[tuple[str, str]]]] = {
    "a variable of the queue": (ODOO, CHANNELS, "", ADVICE),
    "a section of the file": (ODOO, {"Cmd": ["odoo"]}, "server_wide_modules = base,web\n[queue_job]\n", ADVICE),
    "loaded by the file": (ODOO, CHANNELS, "server_wide_modules = base,web,queue_job\n", []),
    "loaded by the command": (ODOO, {**CHANNELS, "Cmd": ["odoo", "--load=web,queue_job"]}, "", []),
    "loaded by two words": (ODOO, {**CHANNELS, "Cmd": ["odoo", "--load", "web,queue_job"]}, "", []),
    "its other runner": (ODOO, {**CHANNELS, "Cmd": ["odoo", "--load=queue_job_cron_jobrunner"]}, "", []),
    "no queue at all": (ODOO, {"Cmd": ["odoo"]}, "[options]\n", []),
    "another program": ("shop:1", CHANNELS, "", []),
    "a library of PostgreSQL": (POSTGRES, {"Cmd": ["postgres", *CRON]}, CONF, ADVICE),
    "preloaded": (POSTGRES, {"Cmd": ["postgres", *CRON, "-c", "shared_preload_libraries=pg_cron"]}, CONF, []),
    "preloaded by the file": (POSTGRES, {"Cmd": ["postgres", *CRON]}, "shared_preload_libraries = 'a, pg_cron' # x\n", []),
    "loaded in each session": (POSTGRES, {"Cmd": ["-c", "auto_explain.log_format=json", "-c", "session_preload_libraries=auto_explain"]}, CONF, []),
    "a file that includes others": (POSTGRES, {"Cmd": ["postgres", *CRON]}, f"{CONF}include_dir = 'conf.d'\n", []),
    "a file that cannot be read": (POSTGRES, {"Cmd": ["postgres", *CRON]}, "", []),
    "in no file either": (POSTGRES, {"Cmd": ["postgres"]}, CONF, []),
}  # fmt: skip


def _host(text: str) -> Made:
    def file(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ReadContainerFile)
        return {"text": text} if text else Failed("gone", question.path)

    return Made({"api.archive": file})


@pytest.mark.parametrize(("image", "config", "text", "expected"), CASES.values(), ids=CASES)
def test_lists_of_modules(
    image: str, config: dict[str, Any], text: str, expected: list[tuple[str, str]]
) -> None:
    web = container(Config={"Image": image, **config})
    found = unloaded_modules(_host(text), of(web))
    assert rows(judge("container.module-unloaded", unloaded_modules=found)) == expected


def test_another_container_of_the_image_runs_the_jobs() -> None:
    web = container(Config={"Image": ODOO, **CHANNELS})
    runner = container("jobs", Config={"Image": ODOO, "Cmd": ["odoo", "--load=web,queue_job"]})
    assert not unloaded_modules(_host(""), of(web, runner))


@pytest.mark.parametrize("folder", ["/var/lib/postgresql/data", "/data/pg"])
def test_a_list_that_was_set_by_sql(folder: str) -> None:
    files = {
        f"{folder}/postgresql.conf": CONF,
        f"{folder}/postgresql.auto.conf": "shared_preload_libraries = 'pg_cron'\n",
    }

    def file(question: Question[object]) -> Json | Failed:
        assert isinstance(question, ReadContainerFile)
        text = files.get(question.path)
        return Failed("gone", question.path) if text is None else {"text": text}

    settings = {"Image": POSTGRES, "Cmd": ["postgres", *CRON], "Env": [f"PGDATA={folder}"]}
    assert not unloaded_modules(Made({"api.archive": file}), of(container(Config=settings)))
