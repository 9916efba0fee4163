"""Hosts of many containers that resemble each other, by a grammar.

Each kind of host has much of one thing that collectors compare: variables, folders, names, ports,
networks. Half of the kinds are what people have, and half what they could have at the worst.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from diagnose.questions import AnyQuestion
from diagnose.questions.containers import InspectContainer, ListContainers
from diagnose.questions.processes import ListProcesses
from diagnose.recording import answer_files
from diagnose.recording.recorder import RecordedAnswer

FIXTURES = Path(__file__).parents[2] / "fixtures"
PIDS = 100_000
"""The pid of a container's first process is so much above its number."""
PROJECT = "com.docker.compose.project"
SERVICE = "com.docker.compose.service"
OTHERS = 40
"""How many others a container names at most: no variable has room for all of them."""

Recording = Mapping[AnyQuestion, RecordedAnswer]
Change = Callable[[dict[str, Any], int, int], None]
"""Changes what the engine says of a container: that, its number, and how many there are."""


def _id(number: int) -> str:
    return f"{number:08x}" + "c" * 56


def _others(number: int, many: int) -> list[int]:
    """The numbers of some other containers of the host, near and far."""
    return [(number + step * step + 1) % many for step in range(min(OTHERS, many))]


def _image(answer: dict[str, Any], number: int) -> None:
    answer["Config"]["Image"] = f"app{number}:1"
    answer["Image"] = f"sha256:{number:064x}"


def _workers(answer: dict[str, Any], number: int, many: int) -> None:
    """One image, started as a server and as its workers."""
    commands = (["gunicorn", "shop.wsgi"], ["celery", "-A", "shop", "worker"], ["celery", "beat"])
    command = commands[number % 3]
    labels = {PROJECT: f"shop{number // 60}", SERVICE: f"{command[0]}{number % 60}"}
    answer["Config"]["Labels"].update(labels)
    answer.update(Path=command[0], Args=command[1:])
    answer["Config"].update(Cmd=command, Env=[f"SECRET_KEY=s{number % 7}", "REDIS_URL=redis://r"])


def _variables(answer: dict[str, Any], number: int, many: int) -> None:
    """Many variables, whose names almost agree."""
    names = [f"DATABASE_SETTING_{chr(65 + (number + at) % 26)}{at}" for at in range(OTHERS)]
    answer["Config"]["Env"] = [f"{name}=value-{number}" for name in names]
    answer.update(Path="/entrypoint.sh", Args=[])
    answer["Config"]["Entrypoint"] = ["/entrypoint.sh"]
    _image(answer, number % 50)


def _folders(answer: dict[str, Any], number: int, many: int) -> None:
    """Folders of the host, one inside another, shared by many containers."""
    sources = ("/srv", "/srv/app", f"/srv/app/{number}", f"/srv/app/{number}/data", "/etc/app.conf")
    answer["Mounts"] = [
        {"Type": "bind", "Source": source, "Destination": f"/mnt{at}", "RW": True, "Mode": ""}
        for at, source in enumerate(sources)
    ]
    answer["HostConfig"]["Binds"] = [f"{source}:/mnt{at}" for at, source in enumerate(sources)]


def _volumes(answer: dict[str, Any], number: int, many: int) -> None:
    """Few volumes, which all containers share at other places."""
    answer["Mounts"] = [
        {
            "Type": "volume",
            "Name": f"data{at}",
            "Source": f"/var/lib/docker/volumes/data{at}/_data",
            "Destination": f"/data/{'ab'[number % 2]}{at}",
            "Driver": "local",
            "RW": True,
        }
        for at in range(6)
    ]
    answer["HostConfig"]["VolumesFrom"] = [f"web-{other}" for other in _others(number, many)[:4]]


def _calls(answer: dict[str, Any], number: int, many: int) -> None:
    """Variables and commands that name other containers, their addresses and ports."""
    urls = [
        f"URL_{at}=http://web-{other}:80{at:02}/" for at, other in enumerate(_others(number, many))
    ]
    answer["Config"]["Env"] = urls
    answer["Config"]["Cmd"] = ["app", *(url.partition("=")[2] for url in urls[:8])]


def _called_services(answer: dict[str, Any], number: int, many: int) -> None:
    """The same by names of services, which containers of one project share."""
    answer["Config"]["Labels"].update({SERVICE: f"svc{number % 30}", PROJECT: "shop"})
    answer["Config"]["Env"] = [f"HOST_{at}=svc{at}" for at in range(OTHERS)]


def _ports(answer: dict[str, Any], number: int, many: int) -> None:
    """Published ports, and many that are wanted twice."""
    bindings = {
        f"{80 + at}/tcp": [{"HostIp": "", "HostPort": str(1024 + (number * 7 + at) % 60000)}]
        for at in range(10)
    }
    answer["HostConfig"]["PortBindings"] = bindings
    answer["NetworkSettings"]["Ports"] = bindings
    answer["Config"]["ExposedPorts"] = {port: {} for port in bindings}


def _namespaces(answer: dict[str, Any], number: int, many: int) -> None:
    """Containers in the network namespace of another, many in that of the first."""
    owner = 0 if number % 2 else number - 2
    if number > 1:
        answer["HostConfig"].update(NetworkMode=f"container:{_id(owner)}", PidMode="host")
        answer["NetworkSettings"].update(Networks={}, Ports={})


def _networks(answer: dict[str, Any], number: int, many: int) -> None:
    """Networks of a few containers each, and names that several of them have."""
    endpoint = answer["NetworkSettings"]["Networks"]["bridge"]
    answer["NetworkSettings"]["Networks"] = {
        f"net{(number + at) % (many // 4)}": {
            **endpoint,
            "NetworkID": f"{(number + at) % (many // 4):064x}",
            "Aliases": ["db", f"web-{number}"],
            "IPAddress": f"10.{at}.{number // 250}.{number % 250}",
        }
        for at in range(3)
    }


def _links(answer: dict[str, Any], number: int, many: int) -> None:
    """Links, hosts and labels that name others."""
    others = _others(number, many)
    answer["HostConfig"]["Links"] = [f"/web-{other}:/web-{number}/db{other}" for other in others]
    answer["HostConfig"]["ExtraHosts"] = [f"web-{other}:10.0.0.{other % 250}" for other in others]
    depends_on = ",".join(f"svc{other}:service_started:false" for other in others)
    labels = {f"traefik.http.routers.r{number}-{at}.rule": "Host(`a.b`)" for at in range(9)}
    names = {"com.docker.compose.depends_on": depends_on, SERVICE: f"svc{number}", PROJECT: "shop"}
    answer["Config"]["Labels"].update({**labels, **names})


def _prefixes(answer: dict[str, Any], number: int, many: int) -> None:
    """Names that begin each other, in all places that name a container."""
    _calls(answer, number, many)
    name = "a" * (1 + number % 60)
    answer["Name"] = f"/{name}{number}"
    answer["Config"]["Hostname"] = name
    answer["Config"]["Env"] += [f"{name.upper()}={name}", f"LONG={'/a' * 2000}"]


def _users(answer: dict[str, Any], number: int, many: int) -> None:
    """Users, ulimits, devices and limits of many kinds."""
    answer["Config"]["User"] = str(1000 + number % 40)
    answer["HostConfig"].update(
        Memory=(64 + number % 9) << 20,
        CpusetCpus="0",
        Ulimits=[{"Name": "nofile", "Soft": 1024 + number % 5, "Hard": 2048}],
        Devices=[{"PathOnHost": f"/dev/ttyUSB{number % 4}", "PathInContainer": "/dev/tty"}],
    )


def _servers(answer: dict[str, Any], number: int, many: int) -> None:
    """Databases, caches, proxies and their clients, in projects of six."""
    images = ("postgres:16", "redis:7", "nginx:1.27", "php:8-fpm", "rabbitmq:3", "node:22")
    image = images[number % 6]
    answer["Config"]["Image"] = image
    answer["Image"] = f"sha256:{number % 6:064x}"
    labels = {PROJECT: f"shop{number // 6}", SERVICE: image.partition(":")[0]}
    answer["Config"]["Labels"].update(labels)
    answer["Config"]["Env"] = [
        *("POSTGRES_USER=shop", "POSTGRES_PASSWORD=made-up", "DATABASE_URL=postgres://shop@postgres/shop"),
        *("REDIS_HOST=redis", "AMQP_URL=amqp://rabbitmq:5672", f"NODE={number}"),
    ]  # fmt: skip


def _range_of_ports(answer: dict[str, Any], number: int, many: int) -> None:
    """A range of ports, published in one option."""
    bindings = {
        f"{port}/tcp": [{"HostIp": "0.0.0.0", "HostPort": str(port)}]
        for port in range(1024, 1024 + many)
    }
    answer["HostConfig"]["PortBindings"] = bindings
    answer["NetworkSettings"]["Ports"] = bindings


def _many_mounts(answer: dict[str, Any], number: int, many: int) -> None:
    """Folders beside each other, and some in each other."""
    answer["Mounts"] = [
        {
            "Type": "bind",
            "Source": f"/srv/{at}{'/a' * (at % 9)}",
            "Destination": f"/srv/{at}{'/b' * (at % 7)}",
            "RW": True,
            "Mode": "",
        }
        for at in range(many)
    ]


def _many_settings(answer: dict[str, Any], number: int, many: int) -> None:
    """Variables, labels, arguments, hosts and dependencies in great number."""
    answer["Config"]["Env"] = [f"SETTING_URL_{at}=http://host{at}:80/a" for at in range(many)]
    rules = {f"traefik.http.routers.r{at}.rule": f"Host(`h{at}.example`)" for at in range(many)}
    sites = {f"caddy_{at}": f"h{at}.example" for at in range(many)}
    depends_on = ",".join(f"svc{at}:service_healthy:true" for at in range(many))
    names = {"com.docker.compose.depends_on": depends_on, SERVICE: f"svc{number}", PROJECT: "p"}
    answer["Config"]["Labels"].update({**rules, **sites, **names})
    answer["Args"] = [f"--peer{at}=http://h{at}:80" for at in range(many)]
    answer["HostConfig"]["ExtraHosts"] = [f"h{at}:10.0.0.{at % 250}" for at in range(many)]


KINDS: Mapping[str, Change] = {
    function.__name__.removeprefix("_"): function
    for function in (
        *(_workers, _variables, _folders, _volumes, _calls, _called_services, _ports),
        *(_namespaces, _networks, _links, _prefixes, _users, _servers),
        *(_range_of_ports, _many_mounts, _many_settings),
    )
}


def host(kinds: Sequence[str], many: int, containers: int | None = None) -> Recording:
    """The recorded host of the demo, with so many containers of these kinds in place of its own.

    containers: how many there are, where each has `many` things.

    Two of three run like the demo's `lost`, one has failed like its `report`.
    """
    recording = _demo()
    running, failed = (_questions_about(name) for name in ("/lost", "/report"))
    listed, processes = [], []
    gone = {row["Id"] for row in _rows(recording, ListContainers())}
    made = {
        question: entry
        for question, entry in recording.items()
        if not any(id in json.dumps(msgspec.to_builtins(question)) for id in gone)
    }
    for number in range(many if containers is None else containers):
        template = failed if number % 3 == 2 else running
        container = _container_of(template, number)
        for kind in kinds:
            KINDS[kind](container.inspected, number, many)
        made |= container.answers
        made[InspectContainer(_id(number))] = RecordedAnswer(container.inspected)
        listed.append(_listed_as(container))
        processes += container.processes
    made[ListContainers()] = RecordedAnswer(listed)
    made[ListProcesses()] = RecordedAnswer(processes)
    return made


class _Template(msgspec.Struct, frozen=True):
    """All that is recorded about a container of the demo."""

    row: dict[str, Any]
    inspected: dict[str, Any]
    answers: Recording
    processes: list[dict[str, Any]]


@functools.cache
def _demo() -> Recording:
    return answer_files.read_folder(FIXTURES / "demo")[0]


def _rows(recording: Recording, question: AnyQuestion) -> list[dict[str, Any]]:
    answer = recording[question].answer
    assert isinstance(answer, list)
    return answer


@functools.cache
def _questions_about(name: str) -> _Template:
    recording = _demo()
    (row,) = [row for row in _rows(recording, ListContainers()) if row["Names"] == [name]]
    id = row["Id"]
    inspected = recording[InspectContainer(id)].answer
    assert isinstance(inspected, dict)
    about_it = {
        question: entry
        for question, entry in recording.items()
        if id in json.dumps(msgspec.to_builtins(question)) and question != InspectContainer(id)
    }
    pid = inspected["State"]["Pid"]
    own = [process for process in _rows(recording, ListProcesses()) if process["pid"] == pid != 0]
    return _Template(row, inspected, about_it, own)


def _container_of(template: _Template, number: int) -> _Template:
    """A container like the template, with an id, a name, an address and a process of its own."""
    old_id = template.row["Id"]

    def renamed(value: Any) -> Any:
        return json.loads(json.dumps(value).replace(old_id, _id(number)))

    inspected = renamed(template.inspected)
    inspected["Name"] = f"/web-{number}"
    inspected["Config"]["Labels"] = dict(inspected["Config"]["Labels"] or {})
    inspected["NetworkSettings"]["SandboxID"] = f"{number:064x}"
    for endpoint in inspected["NetworkSettings"]["Networks"].values():
        if endpoint["IPAddress"]:
            endpoint["IPAddress"] = f"172.17.{number // 250}.{number % 250 + 2}"
    if inspected["State"]["Pid"]:
        inspected["State"]["Pid"] = PIDS + number
    answers = {}
    for question, entry in template.answers.items():
        asked = msgspec.convert(renamed(msgspec.to_builtins(question)), type(question))
        answers[asked] = entry
    processes = [{**renamed(process), "pid": PIDS + number} for process in template.processes]
    return _Template(template.row, inspected, answers, processes)


def _listed_as(container: _Template) -> dict[str, Any]:
    """The row of GET /containers/json."""
    inspected = container.inspected
    return {
        **container.row,
        "Id": inspected["Id"],
        "Names": [inspected["Name"]],
        "Image": inspected["Config"]["Image"],
        "ImageID": inspected["Image"],
        "Labels": inspected["Config"]["Labels"],
        "State": inspected["State"]["Status"],
    }
