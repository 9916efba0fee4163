"""container.queue-evicted: Redis drops any key when it is full, and a queue lies there."""

from diagnose.evidence.containers.workers.evicting_queues import EvictingQueue, EvictingQueues
from diagnose.mappings import present
from diagnose.model import CheckResult, Finding, Severity
from diagnose.phrases import joined
from diagnose.registry import check


@check("container.queue-evicted", severity=Severity.warning)
def queue_evicted(evicting_queues: EvictingQueues) -> CheckResult:
    """Redis drops jobs when it is full: its policy is one for caches.

    With `maxmemory` and an `allkeys` policy Redis makes room by dropping any key, also those of a
    queue: jobs vanish, or a worker stops to see them. A queue needs `noeviction`. The policy is
    read in the command of the server and in the mounted file that it names; BullMQ and Sidekiq
    complain of it themselves. A server counts that a worker's variables name as the place of its
    jobs, or that Celery, Sidekiq and their like have as their only Redis. A cache is left out.
    """
    for queue in evicting_queues:
        yield _finding(queue)


def _finding(queue: EvictingQueue) -> Finding:
    server = queue.server
    workers = joined([str(worker) for worker in queue.workers[:3]])
    full = f"holds {queue.limit} (maxmemory)" if queue.limit else "is full"
    verb = "keeps its jobs" if len(queue.workers) == 1 else "keep their jobs"
    return Finding.about(
        server,
        f"{server} evicts any key once it {full}, because of its maxmemory-policy {queue.policy}, "
        f"and {workers} {verb} there",
        {
            **present({"log": queue.line}),
            "maxmemory-policy": queue.policy,
            **present({"maxmemory": queue.limit}),
            "workers that name it": joined([worker.name for worker in queue.workers]),
        },
        stable=(server.life,),
        touches=tuple(worker.subject for worker in queue.workers),
        variables=present({"settings_file": queue.file}),
    )
