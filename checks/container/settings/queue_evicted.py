"""container.queue-evicted: Redis drops any key when it is full, and jobs or sessions lie there."""

from diagnose.evidence.containers.workers.evicting_queues import EvictingQueue, EvictingQueues
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import joined
from diagnose.registry import check


@check(
    "container.queue-evicted",
    severity=Severity.warning,
    aloud=("drops sessions when it is full", "drop sessions when they are full"),
)
def queue_evicted(evicting_queues: EvictingQueues) -> CheckResult:
    """Redis drops jobs or sessions when it is full: its policy is one for caches.

    With `maxmemory` and an `allkeys` policy Redis makes room by dropping any key, also those of a
    queue: jobs vanish, or a worker stops to see them. A queue needs `noeviction`. The policy is
    read in the command of the server and in the mounted file that it names; BullMQ and Sidekiq
    complain of it themselves. A server counts that a worker's variables name as the place of its
    jobs, or that Celery, Sidekiq and their like have as their only Redis. A cache is left out.

    It is advice for a server of sessions, whose users then have to log in again: a program may keep
    its cache there too.
    """
    for queue in evicting_queues:
        yield _finding(queue)


def _finding(queue: EvictingQueue) -> Finding:
    server = queue.server
    programs = queue.workers or queue.keepers
    things = "jobs" if queue.workers else "sessions"
    named_programs = joined([str(program) for program in programs[:3]])
    full = f"holds {queue.limit} (maxmemory)" if queue.limit else "is full"
    verb = f"keeps its {things}" if len(programs) == 1 else f"keep their {things}"
    return Finding.about(
        server,
        f"{server} evicts any key once it {full}, because of its maxmemory-policy {queue.policy}, "
        f"and {named_programs} {verb} there",
        {
            **present({"log": queue.line}),
            "maxmemory-policy": queue.policy,
            **present({"maxmemory": queue.limit}),
            f"programs with {things} there": joined([program.name for program in programs]),
        },
        severity=Severity.warning if queue.workers else Severity.advice,
        recheck=(server.run,),
        touches=tuple(program.subject for program in programs),
        variables=present({"settings_file": queue.file}),
    )
