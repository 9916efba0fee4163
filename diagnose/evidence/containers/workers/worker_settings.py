"""Workers whose settings differ from the program of the same image that gives them jobs.

A web server and its worker run from one image, in services of their own. The worker waits for jobs
where nobody puts them, or works on another database, and nothing fails.
"""

import itertools
from collections.abc import Iterator, Sequence

import msgspec

from diagnose.evidence.containers.listing import Container, Containers
from diagnose.evidence.containers.secrets import MARK
from diagnose.evidence.containers.workers.programs_of_workers import ProgramsOfWorkers
from diagnose.evidence.containers.workers.worker_roles import (
    is_background,
    names_server,
    queue_of_command,
    without_user,
)
from diagnose.evidence.items import Items
from diagnose.evidence.network.container_netns import Namespaces
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.model import HOST, Failed, Unexamined
from diagnose.phrases import count
from diagnose.questions import Host
from diagnose.questions.sockets import ListCallers
from diagnose.registry import evidence

MOST = 60
"""Workers that are compared: images and connections are asked about for some."""
_BROKER = r"REDIS|VALKEY|KEYDB|BROKER|QUEUE|AMQP|RABBIT|RABBITMQ|CELERY|SIDEKIQ|RESQUE|NATS|BULL"
_DATABASE = (
    r"DB|DATABASE|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|MONGO|MONGODB|SQLALCHEMY|TYPEORM|DATASOURCE"
)
_PLACE = r"URL|URI|DSN|HOST|HOSTS|HOSTNAME|SERVER|ADDR|ADDRESS|NAME|DB|DATABASE|VHOST|CONNECTION"
OF_BROKER = LazyPattern(rf"(?:^|_)(?:{_BROKER})(?:_.{{0,20}})?(?:_(?:{_PLACE})|(?<=BROKER))$")
_OF_DATABASE = LazyPattern(rf"(?:^|_)(?:(?:{_DATABASE})(?:_.{{0,20}})?_(?:{_PLACE})|PGDATABASE)$")
_OF_ITSELF = LazyPattern(
    r"(?:^|_)(?:APP|APPLICATION|CLIENT|CONNECTION|CONSUMER"
    r"|GROUP|INSTANCE|NODE|POOL|WORKER)_?(?:HOST)?NAME$"
)
"""Names that a program gives itself at its server."""
_IS_QUEUE_NAME = LazyPattern(r"(?:^|_)QUEUE_?NAME$")
_IS_HOST = LazyPattern(r"(?:HOSTS?|HOSTNAME|SERVER|ADDR(?:ESS)?)$")
_HIDES_A_PLACE = LazyPattern(r"(?:URL|URI|DSN|CONNECTION\w{0,10})$")
_USUAL = (6379, 5432, 3306, 5672, 27017, 4222)
"""Ports of brokers and databases whose image declares none."""
_ADDRESS = LazyPattern(
    r"(?P<scheme>[a-z][a-z0-9+.-]{1,30})://(?P<host>[^\s:/?#]{0,200})(?::\d{1,5})?/{0,2}"
    r"(?P<base>[^\s?#/]{0,100})"
)
"""A URL of a server: amqp://user@queue:5672/shop, redis://cache/1."""
_OF_SETTINGS = LazyPattern(
    r"(?:^|/)(?:\.env|(?:config|conf|settings|secrets|etc)(?:$|[./])"
    r"|[^/]{0,200}\.(?:ya?ml|toml|json|ini|conf|env|php)$)"
)
"""Files and folders from which a program may take settings that no variable has."""
_OF_PROGRAM = LazyPattern(r"^/(?:app|code|srv|var/www|usr/src/[\w-]{1,40})(?:/html)?/?$")
"""Usual folders of a whole program, whose settings lie beside its code."""


class WorkerDifference(msgspec.Struct, frozen=True):
    """A worker, and the program of its image whose settings are others."""

    worker: Container
    program: Container
    name: str
    """The variable."""
    given: str
    """The worker's value; "" for none."""
    wanted: str
    """The program's value; "" for none."""
    server: Container | None = None
    """The server in the value that only one of both has."""
    command: str = ""
    """The word of the worker's command that names the connection of its queue."""

    @property
    def is_of_queue(self) -> bool:
        """Whether it is about the place of the jobs, and not of the data."""
        return bool(self.command) or OF_BROKER.search(self.name) is not None


class WorkerDifferences(Items[WorkerDifference], frozen=True):
    """The differences between workers and programs, at most one for each worker."""

    unexamined: tuple[Unexamined, ...] = ()


@evidence
def worker_differences(
    host: Host,
    containers: Containers,
    programs_of_workers: ProgramsOfWorkers,
    namespaces: Namespaces | None,
) -> WorkerDifferences:
    """The settings that differ between a worker and another service of the same image.

    A variable that one of both lacks counts only where its value names a server beside them, to
    which the one without it has no connection: connections are read of few.
    """
    differences: list[WorkerDifference] = []
    pairs = programs_of_workers.items
    for pair in pairs[:MOST]:
        differences += _differences(host, pair.worker, pair.programs, containers, namespaces)
    left_out = len(pairs[MOST:])
    why = f"{count(left_out, 'worker')} beyond the {MOST} that are compared"
    return WorkerDifferences(tuple(differences), (Unexamined(HOST, why),) if left_out else ())


def _differences(
    host: Host,
    worker: Container,
    programs: Sequence[Container],
    containers: Containers,
    namespaces: Namespaces | None,
) -> list[WorkerDifference]:
    """The first difference from all programs; none where one of them has the same settings."""
    differences = []
    for program in programs:
        all_differences = itertools.chain(
            _other_queues(worker, program),
            _other_values(worker, program, containers),
            _lacking_servers(host, worker, program, containers, namespaces),
        )
        difference = next(all_differences, None)
        if difference is None:
            return []
        if not _is_taken_by_another(difference, containers):
            differences.append(difference)
    return differences[:1]


def _is_taken_by_another(difference: WorkerDifference, containers: Containers) -> bool:
    """Whether a queue differs on purpose: another worker has that of the program."""
    worker = difference.worker
    program = difference.program
    if not _IS_QUEUE_NAME.search(difference.name):
        return False
    other_workers = [
        other
        for other in containers.running
        if other.shares_project(worker) and other.id not in (worker.id, program.id)
    ]
    return any(
        is_background(other) and other.config.value_of(difference.name) == difference.wanted
        for other in other_workers
    )


def _other_queues(worker: Container, program: Container) -> Iterator[WorkerDifference]:
    """The connection that the worker's command names, where the program puts jobs elsewhere."""
    word, name = queue_of_command(worker)
    queues_of_program = program.config.value_of(name) if name else ""
    if word and queues_of_program not in ("", "sync", word):
        yield WorkerDifference(worker, program, name, word, queues_of_program, command=word)


def _other_values(
    worker: Container, program: Container, containers: Containers
) -> Iterator[WorkerDifference]:
    """Variables of both that name another place.

    A database is the same behind another host, such as a pooler or a replica. A broker is the same
    where both call it by one of its names.
    """
    program_places = _places(program)
    for name, worker_place in _places(worker).items():
        program_place = program_places.get(name)
        if program_place is None:
            continue
        is_broker = OF_BROKER.search(name) is not None
        if not is_broker and _IS_HOST.search(name):
            continue
        with_host = is_broker and not _name_one(
            worker_place, worker, program_place, program, containers
        )
        if is_broker and not with_host and _ADDRESS.match(without_user(worker_place)) is None:
            continue
        places = (
            _place_of(worker_place, with_host=with_host),
            _place_of(program_place, with_host=with_host),
        )
        if places[0] != places[1] and not any(MARK in part for place in places for part in place):
            yield WorkerDifference(
                worker, program, name, without_user(worker_place), without_user(program_place)
            )


def _places(container: Container) -> dict[str, str]:
    """The variables that name a server or an object on it, with their values."""
    return {
        name: value
        for name, value in container.config.environment
        if value and is_of_a_server(name)
    }


def is_of_a_server(variable: str) -> bool:
    """Whether a variable is about a broker or a database, and not about the program itself."""
    names_one = OF_BROKER.search(variable) or _OF_DATABASE.search(variable)
    return bool(names_one) and not _OF_ITSELF.search(variable)


def _name_one(
    first_place: str, worker: Container, other: str, program: Container, containers: Containers
) -> bool:
    """Whether both values name one container of this host."""
    server = _server_in(first_place, worker, containers)
    same_server = _server_in(other, program, containers)
    return server is not None and same_server is not None and server.id == same_server.id


def _place_of(value: str, *, with_host: bool) -> tuple[str, ...]:
    """Host and database of an address; the value itself where it is none."""
    match = _ADDRESS.match(without_user(value))
    if match is None:
        return (value.strip(),)
    base = match["base"] or ("0" if match["scheme"].startswith(("redis", "valkey")) else "")
    base = "" if base.lower() == "%2f" else base
    return (match["host"], base) if with_host else (base,)


def _lacking_servers(
    host: Host,
    worker: Container,
    program: Container,
    containers: Containers,
    namespaces: Namespaces | None,
) -> Iterator[WorkerDifference]:
    """A server that one of both knows, and that the other one neither names nor calls."""
    if namespaces is None or share_settings(worker, program):
        return
    for having, without in ((program, worker), (worker, program)):
        environment = dict(without.config.environment)
        for name, value in _places(having).items():
            if name in environment or (having is worker and not OF_BROKER.search(name)):
                continue
            server = _server_in(value, having, containers)
            if server is None or _may_name(without, server) or server.image == worker.image:
                continue
            if _calls(host, without, server, namespaces) is False:
                values = (
                    (without_user(value), "") if having is worker else ("", without_user(value))
                )
                yield WorkerDifference(worker, program, name, *values, server=server)


def share_settings(worker: Container, program: Container) -> bool:
    """Whether both mount one file or folder that may hold the settings of the program."""
    folders = {container.config.working_dir.rstrip("/") for container in (worker, program)} - {""}
    sources_of_worker = {mount.source for mount in worker.mounts}
    for mount in program.mounts:
        if mount.source not in sources_of_worker:
            continue
        has_program = any(is_within(folder, mount.destination) for folder in folders)
        is_program = has_program or _OF_PROGRAM.search(mount.destination)
        if is_program or _OF_SETTINGS.search(mount.destination):
            return True
    return False


def _server_in(value: str, caller: Container, containers: Containers) -> Container | None:
    """The running container that a value names, as an address or as a name alone."""
    match = _ADDRESS.match(without_user(value))
    name = match["host"] if match else value.partition(":")[0]
    for server in containers.called_by(caller, name):
        if server.is_running and server.id != caller.id:
            return server
    return None


def _may_name(container: Container, server: Container) -> bool:
    """Whether any setting of a container names the server, or may: it is hidden."""
    is_hidden = any(
        value.startswith(MARK) and _HIDES_A_PLACE.search(name)
        for name, value in container.config.environment
    )
    return is_hidden or names_server(container, server)


def _calls(
    host: Host, container: Container, server: Container, namespaces: Namespaces
) -> bool | None:
    """Whether a container has a connection to the server; None where that is not known."""
    netns = namespaces.of(server)
    if netns is None:
        return None
    server_ports = server.declared_tcp_ports or _USUAL
    ports = [port for port in server_ports if netns.serves_others("tcp", port)]
    if not ports:
        return None
    callers: dict[str, int] = {}
    for port in ports[:3]:
        answer = host.ask(ListCallers(server.state.pid, port))
        if isinstance(answer, Failed):
            return None
        callers |= answer
    return not container.addresses.isdisjoint(callers)
