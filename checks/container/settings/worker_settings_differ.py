"""container.worker-settings-differ: a worker looks elsewhere than its program."""

import shlex

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.workers.parted_queues import PartedQueue, PartedQueues
from diagnose.evidence.containers.workers.queue_names import OtherQueueName, OtherQueueNames
from diagnose.evidence.containers.workers.shared_keys import SharedKey, SharedKeys
from diagnose.evidence.containers.workers.worker_addresses import WorkerAddress, WorkerAddresses
from diagnose.evidence.containers.workers.worker_folders import WorkerFolder, WorkerFolders
from diagnose.evidence.containers.workers.worker_settings import WorkerDifference, WorkerDifferences
from diagnose.model import CheckResult, Finding, PageVariables, Severity
from diagnose.registry import check


@check(
    "container.worker-settings-differ",
    severity=Severity.warning,
    aloud=("has other settings than its program", "have other settings than their programs"),
)
def worker_settings_differ(
    worker_differences: WorkerDifferences,
    worker_folders: WorkerFolders | None,
    parted_queues: PartedQueues | None,
    other_queue_names: OtherQueueNames | None,
    worker_addresses: WorkerAddresses | None,
    shared_keys: SharedKeys | None,
) -> CheckResult:
    """A worker has another queue, database, key or folder than its program.

    A web server and its worker run from one image, in services of one compose project. The worker
    waits for jobs at another broker, in another database of Redis, on another connection of
    Laravel, or works on another database than the program: all run, and no job is done. The check
    compares the variables that name a broker or a database. Where one of both lacks the variable,
    it has no connection to the server that the other one names, and nothing else in its settings
    names that server. A worker that agrees with one of several programs of its image is well.
    Another host of the same database may be a pooler or a replica, and is left out.

    Or the program has a volume or a folder of the host for its data, and the worker has nothing
    there and writes files at the same place: neither sees the files of the other one. Logs, caches,
    what is temporary, and files that the program has by the same name do not count: both may make
    those at their start. It is advice where the file is not a picture, report or the like: the
    worker alone may need it.

    Or the worker has another key than the program for what both encrypt or sign, or none, and makes
    one of its own. That is a warning for variables that have to be equal by the documentation of a
    program, and advice for other names of keys.

    Or a project has two servers of Redis or RabbitMQ. One has workers for its only clients, and no
    worker calls the other one, which a program of another image names or calls. Or a variable with
    the name of a queue differs between a worker and a program of another image, no worker has the
    program's name, and no other container has the worker's. Both are advice, because the worker may
    get its jobs in another way. A worker with settings for mails that lacks the address of its site
    is advice too: it may send no mail with a link.
    """
    for difference in worker_differences:
        yield _finding(difference)
    for folder in worker_folders or ():
        yield _folder_finding(folder)
    for key in shared_keys or ():
        yield _key_finding(key)
    for queue in parted_queues or ():
        yield _parted_finding(queue)
    for name in other_queue_names or ():
        yield _name_finding(name)
    for address in worker_addresses or ():
        yield _address_finding(address)


def _finding(difference: WorkerDifference) -> Finding:
    worker = difference.worker
    program = difference.program
    about = worker
    program_container = program
    if difference.server is not None and difference.given:
        about = program
        program_container = worker
    place = "command" if difference.command else difference.name
    return Finding.about(
        about,
        _sentence(difference),
        {
            f"{worker.name} {place}": difference.given or "not set",
            f"{program.name} {difference.name}": difference.wanted or "not set",
            "image of both": worker.config.image,
            "worker's command": worker.shown_command,
        },
        discriminator=difference.name,
        recheck=(worker.run, program.run),
        touches=(program_container.subject,),
        variables=_steps(difference, program_container),
    )


def _sentence(difference: WorkerDifference) -> str:
    """The sentence about the setting that differs between worker and program, and its effect."""
    worker = difference.worker
    program = difference.program
    name = difference.name
    if difference.server is not None and difference.given:
        return (
            f"{program} gives {worker} no jobs: it has no {name}, which names {difference.server} "
            "for the worker, and no connection to that server"
        )
    if difference.server is not None:
        shared = "queue" if difference.is_of_queue else "data"
        return (
            f"{worker} does not work on the {shared} of {program}: it has no {name}, which names "
            f"{difference.server} there, and no connection to that server"
        )
    if difference.command:
        return (
            f'{worker} waits for jobs on "{difference.given}", as its command says, and {program} of the '
            f'same image puts them on "{difference.wanted}" ({name})'
        )
    shared = (
        "waits for jobs elsewhere than" if difference.is_of_queue else "uses another database than"
    )
    return (
        f'{worker} {shared} {program} of the same image: its {name} is "{difference.given}", and there '
        f'it is "{difference.wanted}"'
    )


def _steps(difference: WorkerDifference, program_container: Container) -> PageVariables:
    """The page variables with the corrected command, or with the variable that both need."""
    if not difference.command:
        return {"equalled": difference.name, "example": program_container.name}
    words = list(difference.worker.config.cmd or ())
    if words.count(difference.command) != 1:
        return {"other_queue": difference.wanted}
    words[words.index(difference.command)] = difference.wanted
    return {"queue_command": shlex.join(words)}


def _folder_finding(folder: WorkerFolder) -> Finding:
    worker = folder.worker
    program = folder.program
    mount = folder.mount
    place = "a volume without a name" if folder.is_anonymous else "its writable layer"
    return Finding.about(
        worker,
        f"{worker} writes to {mount.destination} in {place}, where {program} of the same image "
        f"has {mount.place}: neither sees the files of the other",
        {
            f"{program.name} {mount.destination}": mount.place,
            f"{worker.name} {mount.destination}": place,
            "file of the worker": folder.file,
        },
        severity=Severity.advice if folder.is_guess else None,
        is_quiet=folder.is_guess,
        discriminator=mount.destination,
        recheck=(worker.run, program.run),
        touches=(program.subject, *mount.volumes),
        variables={
            "shared": f"{mount.name or mount.source}:{mount.destination}",
            "folder": mount.destination,
        },
    )


def _key_finding(key: SharedKey) -> Finding:
    worker, program, name = key.worker, key.program, key.name
    own_value = "not set" if key.is_absent else "another value; it is not shown"
    return Finding.about(
        worker,
        _key_sentence(key),
        {
            f"{worker.name} {name}": own_value,
            f"{program.name} {name}": "not set" if key.is_in_file else "set; it is not shown",
            "image of both": worker.config.image,
        },
        severity=None if key.is_known else Severity.advice,
        is_quiet=not key.is_known,
        discriminator=name,
        recheck=(worker.run, program.run),
        touches=(program.subject,),
        variables=_key_steps(key),
    )


def _key_sentence(key: SharedKey) -> str:
    """The sentence about the key that a worker does not share with its program."""
    worker, program, name = key.worker, key.program, key.name
    effect = "neither takes what the other one encrypts or signs"
    if key.is_in_file:
        return f"{worker} and {program} lack {name}, and each makes a key of its own: {effect}"
    if key.is_absent:
        return (
            f"{worker} lacks {name}, which {program} of the same image has, and makes a key of its own: "
            f"{effect}"
        )
    may = "" if key.is_known else "maybe "
    return f"{worker} has another {name} than {program} of the same image: {may}{effect}"


def _key_steps(key: SharedKey) -> PageVariables:
    """The page variables that give the worker the key of the program."""
    if key.is_in_file:
        return {"key_holder": key.program.name}
    return {"equalled": key.name, "example": key.program.name}


def _parted_finding(queue: PartedQueue) -> Finding:
    worker, program = queue.worker, queue.program
    return Finding.about(
        worker,
        f"{worker} waits for jobs at {queue.broker}, which no other container of this host calls, and "
        f"{program} has {queue.other_broker}, at which no worker waits",
        {
            f"broker of {worker.name}": queue.broker.name,
            f"broker of {program.name}": queue.other_broker.name,
            "worker's command": worker.shown_command,
        },
        severity=Severity.advice,
        recheck=(worker.run, program.run),
        touches=(program.subject,),
        variables=_broker_steps(queue),
    )


def _broker_steps(queue: PartedQueue) -> PageVariables:
    """The page variables with the variable that both need, where both have one."""
    if queue.variable:
        return {"equalled": queue.variable, "example": queue.program.name}
    return {"other_queue": queue.other_broker.name}


def _name_finding(name: OtherQueueName) -> Finding:
    worker, program = name.worker, name.program
    return Finding.about(
        worker,
        f'{worker} waits for jobs in the queue "{name.given}", as its {name.variable} says, and {program} '
        f'has "{name.wanted}" there, which no worker of the project reads',
        {
            f"{worker.name} {name.variable}": name.given,
            f"{program.name} {name.variable}": name.wanted,
        },
        severity=Severity.advice,
        discriminator=name.variable,
        recheck=(worker.run, program.run),
        touches=(program.subject,),
        variables={"equalled": name.variable, "example": program.name},
    )


def _address_finding(address: WorkerAddress) -> Finding:
    worker, program = address.worker, address.program
    return Finding.about(
        worker,
        f"{worker} lacks the variable {address.name}, in which {program} of the same image has the "
        "address of the site: links in mails of the worker have a default address",
        {
            f"{program.name} {address.name}": address.value,
            f"{worker.name} {address.name}": "not set",
        },
        severity=Severity.advice,
        discriminator=address.name,
        recheck=(worker.run, program.run),
        touches=(program.subject,),
        variables={"equalled": address.name, "example": program.name},
    )
