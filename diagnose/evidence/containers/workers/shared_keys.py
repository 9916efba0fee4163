"""Workers whose key for what they share with the program of their image is another one, or none.

The program encrypts passwords, or signs requests, with a key, and its worker needs the same one. A
program that is given no key makes one of its own at its start, so that nothing fails there.
"""

from collections.abc import Iterator

import msgspec

from diagnose.evidence.containers.listing import Container
from diagnose.evidence.containers.secrets import same_value
from diagnose.evidence.containers.workers.programs_of_workers import ProgramsOfWorkers
from diagnose.evidence.containers.workers.worker_settings import share_settings
from diagnose.evidence.items import Items
from diagnose.file_paths import is_within
from diagnose.lazy_pattern import LazyPattern
from diagnose.registry import evidence
from diagnose.word_sets import vocabulary

_MADE_WHEN_ABSENT = vocabulary(
    """
    AIRFLOW__API_AUTH__JWT_SECRET AIRFLOW__API__SECRET_KEY AIRFLOW__WEBSERVER__SECRET_KEY
    N8N_ENCRYPTION_KEY
    """
)
"""Variables that all services of one installation share, as the documentation of each program says.
A service without the variable makes a key of its own."""
_SHARED = _MADE_WHEN_ABSENT | vocabulary(
    """
    AIRFLOW__CORE__FERNET_KEY AP_ENCRYPTION_KEY AUTHENTIK_SECRET_KEY FLOWISE_SECRETKEY_OVERWRITE
    REDASH_COOKIE_SECRET REDASH_SECRET_KEY SENTRY_SECRET_KEY SUPERSET_SECRET_KEY
    """
)
"""The same, and those without which a service ends, or works without a key."""
_MAY_BE_SHARED = LazyPattern(
    r"(?:^|_)(?:APP_KEY|CRYPT_KEY|ENCRYPTION_KEY|FERNET_KEY|SECRET_KEY(?:_BASE)?|SIGNING_KEY)$"
)
"""Names that frameworks have for such a key."""
_DOES_JOBS = LazyPattern(r"(?:^|[-_/ ])workers?(?:$|[-_ \d])")
_OF_N8N = "N8N_ENCRYPTION_KEY"
_HOME_OF_N8N = "/home/node/.n8n"


class SharedKey(msgspec.Struct, frozen=True):
    """A worker without the key of its program."""

    worker: Container
    program: Container
    name: str
    """The variable."""
    is_absent: bool = False
    """Whether the worker has no such variable, and makes a key of its own."""
    is_known: bool = True
    """Whether the documentation of the program demands equal keys; else the name suggests it."""
    is_in_file: bool = False
    """Whether the program has made its own key too, in its folder."""


class SharedKeys(Items[SharedKey], frozen=True):
    """The first key for each worker."""


@evidence
def shared_keys(programs_of_workers: ProgramsOfWorkers) -> SharedKeys:
    """The workers whose key differs from that of each program of their image.

    The values are tokens, equal for equal secrets. A key that may be in a mounted file of settings
    is not judged where the variable is absent.
    """
    keys = []
    for pair in programs_of_workers:
        differences = [
            next(_differing_keys(pair.worker, program), None) for program in pair.programs
        ]
        if None not in differences:
            keys += differences[:1]
    return SharedKeys(tuple(key for key in keys if key is not None))


def _differing_keys(worker: Container, program: Container) -> Iterator[SharedKey]:
    """The keys of the program that the worker lacks, or has with another value."""
    worker_values = dict(worker.config.environment)
    for name, value in program.config.environment:
        is_known = name in _SHARED
        if not value or not (is_known or _MAY_BE_SHARED.search(name)):
            continue
        own_value = worker_values.get(name, "")
        if own_value and not same_value(own_value, value):
            yield SharedKey(worker, program, name, is_known=is_known)
        if not own_value and name in _MADE_WHEN_ABSENT and _has_no_key(worker, program, name):
            yield SharedKey(worker, program, name, is_absent=True)
    if _made_both_keys(worker, program):
        yield SharedKey(worker, program, _OF_N8N, is_absent=True, is_in_file=True)


def _has_no_key(worker: Container, program: Container, name: str) -> bool:
    """Whether a worker gets a key in no other way either: by NAME_FILE, NAME_CMD or a file."""
    does_jobs = _DOES_JOBS.search(" ".join((worker.compose_service, *worker.config.words)))
    names = (variable for variable, _ in worker.config.environment)
    has_other = any(variable.startswith(f"{name}_") for variable in names)
    return bool(does_jobs) and not has_other and not share_settings(worker, program)


def _made_both_keys(worker: Container, program: Container) -> bool:
    """Whether a worker of n8n and its program each made a key, in folders of their own."""
    if worker.config.value_of("EXECUTIONS_MODE") != "queue":
        return False
    if any(container.config.sets(_OF_N8N) for container in (worker, program)):
        return False
    sources_of_program = _homes_of_n8n(program)
    is_apart = sources_of_program.isdisjoint(_homes_of_n8n(worker))
    return bool(sources_of_program) and is_apart and _has_no_key(worker, program, _OF_N8N)


def _homes_of_n8n(container: Container) -> set[str]:
    """The sources of the mounts in which n8n keeps the key that it has made."""
    mounts = (mount for mount in container.mounts if is_within(_HOME_OF_N8N, mount.destination))
    return {mount.source for mount in mounts}
