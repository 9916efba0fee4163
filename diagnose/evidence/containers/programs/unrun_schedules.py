"""Schedules of Celery in the code of programs whose workers run without a beat.

A worker of Celery does jobs, and gives out none by itself: the schedule needs `celery beat`, or the
option -B of one worker.
"""

import posixpath
from collections.abc import Iterator

from diagnose.evidence.containers.folder_visits import VisitLimits, visited_folders
from diagnose.evidence.containers.listing import Container
from diagnose.evidence.machine.processes import Processes
from diagnose.lazy_pattern import LazyPattern
from diagnose.questions import Host
from diagnose.questions.file_texts import FindTexts
from diagnose.questions.processes import InspectProcess
from diagnose.word_sets import vocabulary

_IS_WORKER = LazyPattern(r"\bcelery\b.{0,200} worker\b")
_NAMES_CELERY = LazyPattern(r"(?i)celery")
_INTERPRETERS = LazyPattern(r"celery|python[\d.]{0,5}")
_FILES = LazyPattern(
    r"(?:__init__|app|base|beat\w{0,20}|celery\w{0,20}|config|main|production|schedul\w{0,20}|settings"
    r"|tasks?|workers?)\.py"
)
"""Modules that configure Celery as a rule."""
_OTHER_FOLDERS = vocabulary(
    "docs locale media migrations node_modules site-packages static staticfiles templates test tests venv"
)
_VISITS = VisitLimits(entries=2000, folders=30, depth=3)
_MOST_FILES = 40
_TEXTS = [
    *(
        f"\n{name} = {{\n"
        for name in ("CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE", "beat_schedule")
    ),
    *(f"\n{name}.conf.beat_schedule = {{\n" for name in ("app", "celery", "celery_app")),
    *(f"\n    beat_schedule{sign}{{\n" for sign in ("=", " = ")),
]
"""Lines that begin a schedule with entries."""


def schedule_of_celery(host: Host, container: Container, processes: Processes) -> str:
    """The file with the schedule of a program whose worker runs in a container; "" for none.

    The code is looked for below the working folder of the container.
    """
    folder = container.config.working_dir
    if folder in ("", "/") or not _runs_a_worker(host, container, processes):
        return ""
    root = f"/proc/{container.state.pid}/root"
    modules = list(_modules(host, root, folder))[:_MOST_FILES]
    return next(
        (path for path in modules if host.answer_or(FindTexts(path, _TEXTS, root=root), [])), ""
    )


def _runs_a_worker(host: Host, container: Container, processes: Processes) -> bool:
    """Whether a process of a container is a worker of Celery."""
    names = (name for name, _ in container.config.environment)
    called = " ".join((container.name, *container.config.words, *names))
    inside = [
        process
        for process in processes.inside(container.id)
        if _INTERPRETERS.fullmatch(process.comm)
    ]
    if not inside or _NAMES_CELERY.search(called) is None:
        return False
    details = host.answers_about([process.pid for process in inside[:8]], InspectProcess)
    return any(_IS_WORKER.search(" ".join(detail.cmdline)) for detail in details.values())


def _modules(host: Host, root: str, folder: str) -> Iterator[str]:
    """The modules below a folder that may have the schedule, those that lie higher first."""
    for visit in visited_folders(host, root, [folder], _VISITS, _may_be_code):
        for entry in visit.entries:
            if entry.type == "file" and _FILES.fullmatch(entry.name):
                yield posixpath.join(visit.path, entry.name)


def _may_be_code(name: str) -> bool:
    return name not in _OTHER_FOLDERS and not name.startswith((".", "_"))
