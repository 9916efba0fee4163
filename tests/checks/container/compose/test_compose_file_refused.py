"""The check in checks/container/compose/compose_file_refused.py."""

import pytest
from msgspec.structs import replace

from diagnose.evidence.containers.compose.refused_projects import refused_projects
from diagnose.evidence.containers.compose.unstarted_projects import unstarted_projects
from diagnose.evidence.containers.compose.written_projects import written_projects
from diagnose.evidence.machine.clock import Clock
from diagnose.evidence.network.networks import Network, Networks
from diagnose.evidence.network.routes import Routes
from diagnose.evidence.run.options import Options
from diagnose.model import Failed, Json, Verdict
from diagnose.questions.images import AddressPool, Ipam
from tests.checks.container.written import FILE, made
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

SLIP = {"kind": "unknown-key", "path": FILE, "line": 7, "place": "services.web", "name": "prots"}
NEW = {**SLIP, "kind": "new-key", "name": "models", "detail": "2.38"}
EDGE = {"kind": "network", "name": "edge", "path": FILE, "line": 9}
OLD = {**EDGE, "kind": "volume", "name": "old"}
NAMED = {**EDGE, "kind": "container", "name": "db", "service": "db"}
LATER = 1e10
"""A time after the creation of all containers of these tests."""
WARNED, LOST = [("warning", "shop-web-1")], [("critical", "shop-web-1")]
CASES: dict[str, tuple[dict[str, Json], float, str, list[tuple[str, str]]]] = {
    "a slip": ({"faults": [{**SLIP, "detail": "ports"}]}, LATER, "2.40.3", WARNED),
    "since the start": ({"faults": [SLIP]}, 1.0, "2.40.3", []),
    "an unknown key": ({"faults": [SLIP]}, LATER, "2.40.3", WARNED),
    "of a newer compose": ({"faults": [SLIP]}, LATER, "5.1.0", []),
    "a slip with a newer compose": ({"faults": [{**SLIP, "detail": "ports"}]}, LATER, "5.1", []),
    "a slip with any compose": ({"faults": [{**SLIP, "detail": "ports"}]}, LATER, "", WARNED),
    "an unknown key with any compose": ({"faults": [SLIP]}, LATER, "", []),
    "a slip of compose 1": ({"faults": [{**SLIP, "detail": "ports"}]}, LATER, "1.29.2", []),
    "no YAML for compose 1": ({"faults": [{**SLIP, "kind": "yaml"}]}, LATER, "1.29.2", WARNED),
    "a fault that this version does not know": ({"faults": [{**SLIP, "kind": "no-such"}]}, LATER, "", WARNED),
    "too new": ({"faults": [NEW]}, LATER, "2.26.1", WARNED),
    "new enough": ({"faults": [NEW]}, LATER, "2.38.0", []),
    "new for nobody knows what": ({"faults": [NEW]}, LATER, "", []),
    "no network": ({"needs": [EDGE]}, LATER, "", WARNED),
    "a network": ({"needs": [{**EDGE, "name": "bridge"}]}, LATER, "", []),
    "no volume": ({"needs": [OLD]}, LATER, "", WARNED),
    "a volume": ({"needs": [{**OLD, "name": "data"}]}, LATER, "", []),
    "a name that is taken": ({"needs": [NAMED]}, LATER, "", WARNED),
    "its own name": ({"needs": [{**NAMED, "service": "web"}]}, LATER, "", []),
    "no YAML": ({"unread": "a", "services": [], "faults": [{**SLIP, "kind": "yaml"}]}, LATER, "", WARNED),
}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "changed", "version", "expected"), CASES.values(), ids=CASES
)  # fmt: skip
def test_a_project_that_was_started(
    answer: dict[str, Json], changed: float, version: str, expected: list[tuple[str, str]]
) -> None:
    for state, wanted in (("running", expected), ("exited", expected and LOST)):
        state_of = {"Status": state, "Running": state == "running"}
        web = made("web", Created="2026-11-30T12:00:00Z", State=state_of)
        web.labels["com.docker.compose.version"] = version
        project = {"services": [{"name": "web"}], "changed": {FILE: changed}, **answer}
        host = Made(
            {"file.compose-project": project, "api.volumes": {"Volumes": [{"Name": "data"}]}}
        )
        containers = of(web, container("db"))
        found = refused_projects(
            host,
            written_projects(host, containers),
            None,
            containers,
            Networks((Network("1", "bridge"),)),
        )
        assert rows(judge("container.compose-file-refused", refused_projects=found)) == wanted


def test_a_node_of_a_swarm_does_not_list_all_networks() -> None:
    project = {"services": [{"name": "web"}], "changed": {FILE: LATER}, "needs": [EDGE]}
    host, containers = Made({"file.compose-project": project}), of(made("web"))
    networks = Networks((Network("1", "ingress", driver="overlay"),))
    written = written_projects(host, containers)
    assert not refused_projects(host, written, None, containers, networks).items


NEVER = {
    "changed recently": ({"path": "/srv/blog/compose.yaml", "mtime": 999_000.0}, True),
    "an old one": ({"path": "/srv/blog/compose.yaml", "mtime": 1.0}, False),
    "an old one, here": ({"path": "/srv/blog/compose.yaml", "mtime": 1.0, "is_here": True}, True),
    "an old one with a network": ({"path": "/srv/wiki/compose.yaml", "mtime": 1.0}, True),
    "a known folder": ({"path": FILE, "mtime": 999_000.0}, False),
}


@pytest.mark.parametrize(("file", "is_found"), NEVER.values(), ids=NEVER)
def test_a_project_that_was_never_started(file: Json, is_found: bool) -> None:
    project = {"services": [{"name": "web"}], "faults": [{**SLIP, "detail": "ports"}]}
    host = Made({"file.compose-project": project, "file.compose-found": [file]})
    containers, labels = of(made("web")), {"com.docker.compose.project": "wiki"}
    networks = Networks((Network("1", "wiki_default", labels=labels),))
    clock = Clock(wall=1_000_000.0, booted=0.0)
    unstarted = unstarted_projects(host, containers, networks, clock, Options())
    found = refused_projects(host, written_projects(host, of()), unstarted, containers, networks)
    result = judge("container.compose-file-refused", refused_projects=found)
    assert rows(result) == ([("warning", "host")] if is_found else [])


def _unstarted(written: Json, networks: Networks, **file: Json) -> list[tuple[str, str]]:
    """What is said of a file that was changed lately, beside a container db of nobody."""
    found = {"path": "/srv/wiki/compose.yaml", "mtime": 999_000.0, **file}
    host = Made({"file.compose-project": written, "file.compose-found": [found]})
    containers, clock = of(container("db")), Clock(wall=1_000_000.0, booted=0.0)
    unstarted = unstarted_projects(host, containers, networks, clock, Options())
    refused = refused_projects(host, written_projects(host, of()), unstarted, containers, networks)
    return rows(judge("container.compose-file-refused", refused_projects=refused))


SUBNET = {**EDGE, "kind": "subnet", "name": "172.28.5.0/24", "service": "backend"}
_OTHER = Network("2", "shop_backend", ipam=Ipam([AddressPool("172.28.0.0/16")]))
_OWN_LABELS = {"com.docker.compose.project": "wiki", "com.docker.compose.network": "backend"}
_COPY = Network(
    "2",
    "prod_backend",
    ipam=Ipam([AddressPool("172.28.5.0/24")]),
    labels={**_OWN_LABELS, "com.docker.compose.project": "prod"},
)
SUBNETS: dict[str, tuple[dict[str, Json], Network, float, list[str], str]] = {
    "another network has it": (SUBNET, _OTHER, 0.5, ["first_subnet_edit"], "warning"),
    "with addresses": ({**SUBNET, "kind": "addressed subnet"}, _OTHER, 0.5, ["free_subnet"], "warning"),
    "a file that nobody works on": (SUBNET, _OTHER, 5, ["first_subnet_edit"], "advice"),
    "another subnet": ({**SUBNET, "name": "172.29.5.0/24"}, _OTHER, 0.5, [], ""),
    "its own network": (SUBNET, replace(_OTHER, labels=_OWN_LABELS), 0.5, [], ""),
    "a copy of a project that runs": (SUBNET, _COPY, 0.5, [], ""),
    "a file that another one completes": ({**SUBNET, "others": True}, _OTHER, 0.5, [], ""),
    "no subnet": ({**SUBNET, "name": "fd00::/64"}, _OTHER, 0.5, [], ""),
}  # fmt: skip
"""The need, a network of the engine, the hours since the file was written, cure, severity."""


@pytest.mark.parametrize(
    ("need", "network", "hours", "steps", "severity"), SUBNETS.values(), ids=SUBNETS
)
def test_a_subnet_of_a_file(
    need: dict[str, Json], network: Network, hours: float, steps: list[str], severity: str
) -> None:
    place = {"path": "/srv/wiki/compose.yaml", "has_others": "others" in need}
    found: Json = {**place, "mtime": 1_000_000.0 - 3600 * hours}
    project: Json = {"services": [{"name": "web"}], "needs": [need]}
    host = Made({"file.compose-project": project, "file.compose-found": [found]})
    networks, clock = Networks((network,)), Clock(wall=1_000_000.0, booted=0.0)
    unstarted = unstarted_projects(host, of(), networks, clock, Options())
    written = written_projects(host, of())
    projects = refused_projects(host, written, unstarted, of(), networks, Routes(()), clock)
    result = judge("container.compose-file-refused", refused_projects=projects)
    assert rows(result) == ([(severity, "host")] if severity else [])
    variables = [name for finding in result.findings for name in finding.variables]
    assert [name for name in variables if "subnet" in name] == steps


def test_a_copy_of_a_folder_has_the_names_of_the_original() -> None:
    project: Json = {"services": [{"name": "web"}], "needs": [NAMED]}
    labels = {"com.docker.compose.project": "wiki"}
    tried = Networks((Network("1", "wiki_default", labels=labels),))
    assert _unstarted(project, Networks(())) == []
    assert _unstarted(project, tried) == [("warning", "host")]


@pytest.mark.parametrize(("kind", "is_said"), [("no-image", False), ("doubled", True)])
def test_a_file_that_another_one_completes(kind: str, is_said: bool) -> None:
    project: Json = {"services": [{"name": "web"}], "faults": [{**SLIP, "kind": kind}]}
    alone = _unstarted(project, Networks(()))
    assert alone == [("warning", "host")]
    assert _unstarted(project, Networks(()), has_others=True) == (alone if is_said else [])


def test_podman_compose_takes_what_compose_refuses() -> None:
    web = made("web", Created="2026-11-30T12:00:00Z")
    project: Json = {
        "services": [{"name": "web"}],
        "changed": {FILE: LATER},
        "faults": [{**SLIP, "detail": "ports"}],
    }
    host = Made({"file.compose-project": project})
    for labels, expected in (({}, 1), ({"io.podman.compose.project": "shop"}, 0)):
        web.labels.update(labels)
        containers = of(web)
        written = written_projects(host, containers)
        found = refused_projects(host, written, None, containers, Networks(()))
        assert len(found.items) == expected


def test_a_project_that_could_not_be_read() -> None:
    host = Made({"file.compose-project": Failed("timed out", "after 1.5 s")})
    containers = of(made("web"))
    found = refused_projects(host, written_projects(host, containers), None, containers, None)
    result = judge("container.compose-file-refused", refused_projects=found)
    assert result.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("state", "kept"), [("running", None), ("exited", "db-" + "c" * 12)], ids=["runs", "has ended"]
)
def test_a_name_can_be_given_up_by_a_container_that_has_ended(state: str, kept: str | None) -> None:
    web = made("web", Created="2026-11-30T12:00:00Z")
    holder = container("db", Id="c" * 64, State={"Status": state, "Running": state == "running"})
    project: Json = {"services": [{"name": "web"}], "changed": {FILE: LATER}, "needs": [NAMED]}
    host = Made({"file.compose-project": project})
    containers = of(web, holder)
    found = refused_projects(
        host, written_projects(host, containers), None, containers, networks=None
    )
    (finding,) = judge("container.compose-file-refused", refused_projects=found).findings
    assert finding.variables.get("kept_name") == kept
    assert "refused_file" not in finding.variables
