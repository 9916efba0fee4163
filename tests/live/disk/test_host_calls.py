"""Crontabs and units that call docker."""

from __future__ import annotations

import pytest

from diagnose.live.disk.jobs.host_calls import (
    named_calls,
    names_engine,
    short_lived_unit,
    unit_settings,
)
from diagnose.live.disk.jobs.named_runs import makes_room, name_of_run, name_of_unit_run

CALLS = {
    "a job": ("*/5 * * * * root docker exec shop_web_1 /bin/true", [("exec", "shop_web_1")]),
    "with options": ("0 1 * * * /usr/bin/docker exec -i -u www -e A=b web x", [("exec", "web")]),
    "a terminal": ("0 1 * * * docker exec -t web x", [("exec", "web")]),
    "a restart": ("0 1 * * * docker container restart -t 5 'web'", [("restart", "web")]),
    "a copy": ("0 1 * * * docker cp db:/dump /srv && docker start db", [("cp", "db"), ("start", "db")]),
    "a copy into it": ("0 1 * * * docker cp /srv/a db:/a", [("cp", "db")]),
    "a unit": ("ExecStart=/usr/bin/docker start -a web", [("start", "web")]),
    "a variable": ("0 1 * * * docker exec $WEB x", []),
    "a stop": ("0 1 * * * docker stop -t 9 web; docker rm web", [("stop", "web")]),
    "a failure that is taken": ("0 1 * * * docker exec web x || true", []),
    "a look before": ("0 1 * * * docker ps -q | xargs docker restart", []),
    "on another host": ("0 1 * * * ssh a docker exec web x", []),
    "in another machine": ("0 1 * * * pct exec 101 -- docker exec web x", []),
    "at another engine": ("0 1 * * * DOCKER_HOST=ssh://a docker exec web x", []),
    "by a context": ("0 1 * * * docker --context=a exec web x; docker -H a exec web x", []),
    "a header": ("0 1 * * * docker exec web curl -H Host:a localhost", [("exec", "web")]),
    "a comment": ("# docker exec web x", []),
    "compose": ("0 1 * * * docker compose exec -T web x", []),
    "nothing": ("0 1 * * * docker exec", []),
}  # fmt: skip


@pytest.mark.parametrize(("line", "calls"), CALLS.values(), ids=CALLS)
def test_calls(line: str, calls: list[tuple[str, str]]) -> None:
    assert [tuple(call) for call in named_calls(line)] == calls


_UNIT = "[Unit]\nAfter=docker.service\n[Service]\n{}\n[Install]\nWantedBy=a\n"
UNITS = {
    "a start": ("ExecStart=/usr/bin/docker start web\nExecStop=-/usr/bin/docker stop -t 2 web", "web"),
    "a run": ("ExecStart=docker run -d --name web shop:1\nExecStopPost=docker rm -f web", "web"),
    "a project": ("ExecStart=docker compose -f /a.yaml up -d\nExecStop=docker compose -f /a.yaml down", ""),
    "the old compose": ("ExecStart=/usr/local/bin/docker-compose up --detach\nExecStop=/usr/local/bin/docker-compose down", ""),
    "once": ("Type=oneshot\nExecStart=docker start web\nExecStop=docker stop web", "web"),
    "two lines": ("ExecStart=docker run \\\n  --detach --name=web shop:1\nExecStop=docker stop web", "web"),
    "it remains": ("Type=oneshot\nRemainAfterExit=yes\nExecStart=docker start web\nExecStop=docker stop web", None),
    "attached": ("ExecStart=docker start -a web\nExecStop=docker stop web", None),
    "in the foreground": ("ExecStart=docker run --rm --name web shop:1\nExecStop=docker stop web", None),
    "another container": ("ExecStart=docker start web\nExecStop=docker stop db", None),
    "a name by a variable": ("ExecStart=docker run -d --name %n shop:1\nExecStop=docker stop %n", None),
    "no stop": ("ExecStart=docker start web", None),
    "forking": ("Type=forking\nExecStart=docker start web\nExecStop=docker stop web", None),
    "a comment": ("ExecStart=docker start web\n#ExecStop=docker stop web", None),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "target"), UNITS.values(), ids=UNITS)
def test_units(lines: str, target: str | None) -> None:
    unit = short_lived_unit(unit_settings([_UNIT.format(lines)]))
    assert (unit["target"] if isinstance(unit, dict) else None) == target


RUNS = {
    "left behind": ("ExecStart=/usr/bin/docker run \\\n  --name core -p 80:80 shop:1\nExecStop=/usr/bin/docker stop core", "core"),
    "in the background": ("Type=oneshot\nRemainAfterExit=yes\nExecStart=docker run -d --name=core shop:1", "core"),
    "the name of the unit": ("ExecStart=docker run --name %n shop:1", "web.service"),
    "a part of its name": ("ExecStart=docker run --name %N shop:1", "web"),
    "removed by itself": ("ExecStart=docker run --rm --name core shop:1", ""),
    "removed before": ("ExecStartPre=-/usr/bin/docker rm -f core\nExecStart=docker run --name core shop:1", ""),
    "removed after": ("ExecStart=docker run --name core shop:1\nExecStopPost=docker container rm core", ""),
    "renamed before": ("ExecStartPre=-docker rename core old\nExecStart=docker run --name core shop:1", ""),
    "a pause before": ("ExecStartPre=/bin/sleep 5\nExecStart=docker run --name core shop:1", "core"),
    "a script before": ("ExecStartPre=/opt/clean.sh\nExecStart=docker run --name core shop:1", ""),
    "a start": ("ExecStart=docker start -a core", ""),
    "a shell that tries both": ("ExecStart=/bin/sh -c 'docker start -a core || docker run --name core shop:1'", ""),
    "no name": ("ExecStart=docker run shop:1", ""),
    "a variable": ("ExecStart=docker run --name ${NAME} shop:1", ""),
    "a name of an instance": ("ExecStart=docker run --name web-%i shop:1", ""),
    "on another host": ("ExecStart=ssh store docker run --name core shop:1", ""),
    "a prune before": ("ExecStartPre=/usr/bin/docker system prune -f\nExecStart=docker run --name core shop:1", ""),
    "another one removed": ("ExecStartPre=-docker rm -f old\nExecStart=docker run --name core shop:1", "core"),
}  # fmt: skip


@pytest.mark.parametrize(("lines", "name"), RUNS.values(), ids=RUNS)
def test_runs_of_units_that_leave_their_container(lines: str, name: str) -> None:
    assert name_of_unit_run("web.service", unit_settings([_UNIT.format(lines)])) == name


JOBS = {
    "left behind": ("0 3 * * * root docker run --name backup job:1", "backup"),
    "removed by itself": ("0 3 * * * root docker run --rm --name backup job:1", ""),
    "removed before": ("0 3 * * * root docker rm backup; docker run --name backup job:1", ""),
    "a comment": ("#0 3 * * * root docker run --name backup job:1", ""),
    "a failure that is taken": ("@reboot root docker run --name backup job:1 || true", ""),
    "removed by a list": ("0 3 * * * root docker ps -aq -f name=backup | xargs -r docker rm; docker run --name backup job:1", ""),
    "a script in the image": ("0 3 * * * root docker container run --name backup job:1 /backup.sh", "backup"),
    "a prune after": ("0 3 * * * root docker run --name backup job:1; docker system prune -f", ""),
    "a name with the date": ("0 3 * * * root docker run --name backup-$(date +\\%F) job:1", ""),
}  # fmt: skip


@pytest.mark.parametrize(("line", "name"), JOBS.values(), ids=JOBS)
def test_runs_of_cron_that_leave_their_container(line: str, name: str) -> None:
    assert name_of_run(line) == name


OTHERS = {
    "a removal": ("0 2 * * * root docker rm backup", True),
    "a removal of another one": ("0 2 * * * root docker rm -v other", False),
    "a prune of containers": ("0 2 * * * root docker container prune -f", True),
    "a prune of images": ("0 2 * * * root docker image prune -f", False),
    "all that have ended": ("0 2 * * * root docker rm $(docker ps -aq -f status=exited)", True),
    "another verb": ("0 2 * * * root docker restart backup", False),
}  # fmt: skip


@pytest.mark.parametrize(("line", "is_removed"), OTHERS.values(), ids=OTHERS)
def test_jobs_that_remove_what_another_one_leaves(line: str, is_removed: bool) -> None:
    assert makes_room(line, "backup") is is_removed


def test_a_drop_in_counts() -> None:
    unit = _UNIT.format("ExecStart=docker start web\nExecStop=docker stop web")
    assert short_lived_unit(unit_settings([unit])) is not None
    assert short_lived_unit(unit_settings([unit, "[Service]\nRemainAfterExit=yes\n"])) is None
    assert short_lived_unit(unit_settings([unit, "[Service]\nExecStop=\n"])) is None


ENGINES = {
    "of a crontab": ("DOCKER_HOST=unix:///run/user/1000/docker.sock\n0 1 * * * docker start a\n", True),
    "of a unit": ('[Service]\nEnvironment="A=b" "DOCKER_CONTEXT=shop"\nExecStart=docker start -a web\n', True),
    "of one line": ("0 1 * * * DOCKER_HOST=ssh://a docker exec web x\n", False),
    "in a comment": ("# DOCKER_HOST=ssh://a\n0 1 * * * docker exec web x\n", False),
}  # fmt: skip


@pytest.mark.parametrize(("text", "names_one"), ENGINES.values(), ids=ENGINES)
def test_engines_of_a_file(text: str, names_one: bool) -> None:
    assert names_engine(text) is names_one
