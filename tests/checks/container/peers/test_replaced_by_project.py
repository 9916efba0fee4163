"""Folders of compose with one project name: what the newer one took, and what it left."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.compose.project_clashes import ProjectClashes, project_clashes
from diagnose.evidence.containers.events import Event, Events
from diagnose.evidence.containers.listing import Container
from diagnose.phrases import rfc3339
from diagnose.questions import Host
from tests.checks.container.evidence import CLOCK
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

PROD, STAGING = "/srv/prod/shop", "/srv/staging/shop"
AT = CLOCK.wall - 60


def labels(folder: str, service: str, project: str = "shop") -> dict[str, str]:
    return {
        "com.docker.compose.project": project,
        "com.docker.compose.service": service,
        "com.docker.compose.project.working_dir": folder,
        "com.docker.compose.project.config_files": f"{folder}/compose.yaml",
    }


def made(folder: str, service: str, project: str = "shop", *, after_s: float = 0.0) -> Container:
    created = rfc3339(AT + after_s)
    marks = labels(folder, service, project)
    return container(f"{project}-{service}-1", Config={"Labels": marks}, Created=created)


def gone(
    folder: str, service: str, project: str = "shop", *, after_s: float = 0.0, **more: str
) -> Event:
    name = f"{project}-{service}-1"
    attributes = {"name": name, "image": "shop:1.4", **labels(folder, service, project), **more}
    return Event(AT + after_s, "container", "destroy", "", "a1" * 32, attributes)


def clashes(
    containers: list[Container], events: list[Event], *there: str, volume_of: str = "shop"
) -> ProjectClashes:
    """there: the folders whose files are on the host. volume_of: the project of a volume."""
    files = {f"{folder}/compose.yaml" for folder in there}
    made = Made(
        {
            "file.stats": lambda question: {
                path: {"type": "file"} if path in files else {"failed": "missing"}
                for path in question.args["paths"]
            },
            "api.volumes": {
                "Volumes": [{"Name": "data", "Labels": {"com.docker.compose.project": volume_of}}]
            },
        }
    )
    found = project_clashes(Host(made), of(*containers), Events(tuple(events)))
    assert isinstance(found, ProjectClashes)
    return found


WEB, OLD_DB = made(STAGING, "web"), made(PROD, "db", after_s=-3600)
CASES: dict[str, tuple[list[Container], list[Event], list[tuple[str, str]]]] = {
    "a service was replaced": ([WEB], [gone(PROD, "web")], [("warning", "shop-web-1")]),
    "and another one is left": ([WEB, OLD_DB], [gone(PROD, "web")], [("warning", "shop-web-1")]),
    "an orphan was removed": ([WEB], [gone(PROD, "db")], [("warning", "shop-db-1")]),
    "removed long before": ([made(STAGING, "web", after_s=600)], [gone(PROD, "db")], []),
    "nothing is known to have gone": ([WEB, OLD_DB], [], [("advice", "shop-db-1")]),
    "it was made again since": (
        [WEB, made(PROD, "db", after_s=-10)],
        [gone(PROD, "db")],
        [("advice", "shop-db-1")],
    ),
    "by its own folder": ([WEB], [gone(STAGING, "web")], []),
    "it took its place back": (
        [made(PROD, "web", after_s=30)],
        [gone(PROD, "web"), gone(STAGING, "web", after_s=30)],
        [],
    ),
    "and lost it again": (
        [made(STAGING, "web", after_s=60)],
        [gone(PROD, "web"), gone(STAGING, "web", after_s=30), gone(PROD, "web", after_s=60)],
        [("warning", "shop-web-1")],
    ),
    "the folder was moved": ([made("/opt/shop", "web")], [gone("/srv/gone/shop", "web")], []),
    "a release in a new folder": ([made("/srv/r2", "web")], [gone("/srv/r1", "web")], []),
    "a job": ([WEB], [gone(PROD, "web", **{"com.docker.compose.oneoff": "True"})], []),
    "capitals and dots in the folder": (
        [made("/srv/test/Shop.EU", "web", "shopeu")],
        [gone("/srv/prod/shop.eu", "web", "shopeu")],
        [("warning", "shopeu-web-1")],
    ),
}


@pytest.mark.parametrize(("containers", "events", "expected"), CASES.values(), ids=CASES)
def test_folders_with_one_project_name(
    containers: list[Container], events: list[Event], expected: list[tuple[str, str]]
) -> None:
    found = clashes(containers, events, PROD, STAGING, "/srv/r1", "/srv/r2", "/srv/prod/shop.eu")
    assert (
        rows(judge("container.replaced-by-project", project_clashes=found, clock=CLOCK)) == expected
    )


CURES = {
    "volumes with the project's name": (
        "shop",
        {"former_file": f"{PROD}/compose.yaml", "second_file": f"{STAGING}/compose.yaml"},
    ),
    "none": ("blog", {"lone_file": f"{PROD}/compose.yaml", "former_name": "shop-prod"}),
}


@pytest.mark.parametrize(("volume_of", "cure"), CURES.values(), ids=CURES)
def test_one_of_the_projects_gets_a_name_of_its_own(volume_of: str, cure: dict[str, str]) -> None:
    found = clashes([WEB], [gone(PROD, "web")], PROD, volume_of=volume_of)
    (finding,) = judge("container.replaced-by-project", project_clashes=found, clock=CLOCK).findings
    assert finding.variables == {"project": "shop", "own_name": "shop-staging", **cure}


def test_a_service_that_runs_under_a_name_of_its_own_is_not_lost() -> None:
    renamed = container(
        "shop-prod-web-1",
        Config={"Labels": labels(PROD, "web", "shop-prod")},
        Created=rfc3339(AT + 10),
    )
    assert not clashes([WEB, renamed], [gone(PROD, "web")], PROD)


def test_one_question_is_asked_and_none_without_a_clash() -> None:
    assert not clashes([WEB], [])
    assert not clashes([made(STAGING, "web"), made("/srv/blog", "web", "blog")], [])
