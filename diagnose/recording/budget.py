"""The time of a run: until when answers are collected, and until when they are judged."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from pathlib import Path

REPORTING_S = 0.3
"""What is kept of the run's time for judging and printing."""
REPORTING_PER_CONTAINER_S = 0.0003
"""How much longer judging and printing take for each container (measured: 8,000 containers with two
findings each)."""
REPORTED_SHARE = 0.5
"""Of the run's time, for collecting at least."""
SEALED_SHARE = 0.4
"""The same where a bundle is made of it."""
SEALING_S = 0.2
"""What is kept of a bundle's time for sealing it, beside that."""
SEALING_PER_QUESTION_S = 0.00023
"""How much longer sealing takes for each question, without what is left out where the time is short
(measured: the details of 8,000 containers, with all other processors at work; a third of it is the
search for secrets)."""
PROVING_PER_SECRET_S = 0.0001
"""How much longer sealing takes for each secret that was redacted: the finished archive is searched
for all of its forms (measured: 16,000 secrets)."""
PRINTING_PER_FINDING_S = 0.00005
"""What linking takes after its end, and a JSON report, for each finding (measured: 40,000 of them).
"""
SEALING_PER_FINDING_S = 0.00009
"""The same for a bundle, which holds a Markdown report too, and is packed and searched for secrets
(measured: 56,000 findings)."""
MOST_WAITING = 4.0
"""By how much a run, and what is kept of its time, is lengthened at most where other processes take
the processor."""
LATE_S = 0.25
"""How much later than its budget a run may judge, on a busy host or for the sake of many findings.
It has printed its report as long after that at the latest."""
BUSY_FACTOR = 1.5
"""How many times as long as it works a run takes on a busy host at least."""
ASSEMBLING_SHARE = 0.4
"""Of the time that is kept for judging and printing: the answers of 8,000 containers take a second
to become evidence."""
LONGEST_ASSEMBLING_S = 2.0
LEAST_REPLAY_S = 3.0
"""Seconds for reading a recording at least, and for judging it, or a quarter of the budget, where a
busy host took long to begin."""
MOST_SLOWNESS = 6.0
"""By how much these seconds are lengthened at most on a busy host."""
LEAST_CPU_S = 0.05
LEAST_S = 0.4
"""Seconds that are left for collecting at least, also where a busy host has used up a small budget
before the first question: a report about nothing helps nobody.
"""
LONGER = 4
"""How many times the time of a run that was too short is advised for the next one."""

USUAL_S = 10.0
"""Seconds of a run for which the deadlines of questions are meant, and which a run may take where
its user names no limit."""

MOST_USUAL_S = MOST_WAITING * USUAL_S
"""Seconds that such a run takes at most, on a busy host."""

READING_SHARE = 0.5
"""Of the time of a run on a recording: until then it is read. Judging takes as long as reading."""


def read_until(began: float, seconds: float) -> float:
    """Until when a recording is read in a run that began then and may take so many seconds."""
    return max(began + READING_SHARE * seconds, time.monotonic() + _least_replay(began, seconds))


def _least_replay(began: float, seconds: float) -> float:
    """Seconds for one step of a replay at least.

    They are meant for a process that has a processor: at a load of 25 the demo took 12 s for the
    work of one, and ended at its budget without a root. So they are lengthened by what the process
    has waited for a processor since it began.
    """
    elapsed = time.monotonic() - began
    slowness = elapsed / max(time.process_time(), LEAST_CPU_S)
    return min(seconds / 4, LEAST_REPLAY_S) * min(max(slowness, 1.0), MOST_SLOWNESS)


def usual_seconds() -> float:
    """The seconds that a run may take where its user names no limit.

    A process that waits for a processor nine times as long as it works needs ten times as long for
    the same report. At a load of 20 on two processors, 8 of 20 broken hosts ended at ten seconds
    without their cause.
    """
    return round(USUAL_S * waiting_factor())


def patience(budget_s: float) -> float:
    """How much longer than usual each question may take in a run of this budget; never less than
    usual."""
    return max(1.0, budget_s / USUAL_S)


class Budget:
    """Two moments on the monotonic clock; an interrupt may bring the first forward.

    ends: answers are collected until then. judged_by: checks are judged until then.
    """

    def __init__(self, ends: float, judged_by: float = math.inf, seconds: float = 0.0) -> None:
        self.ends = ends
        self.judged_by = judged_by
        self._seconds = seconds
        self._earliest = min(ends, time.monotonic() + LEAST_S)
        self._sealing_s: Callable[[], float] | None = None
        self._waiting = 1.0

    @classmethod
    def of_run(cls, began: float, seconds: float) -> Budget:
        """The time of a run that began then and may take so many seconds in all."""
        ends = max(
            began + max(seconds - REPORTING_S, REPORTED_SHARE * seconds), time.monotonic() + LEAST_S
        )
        return cls(ends, max(began + seconds, ends), seconds)

    @classmethod
    def of_replay(cls, began: float, seconds: float) -> Budget:
        """The time to judge a recording that has just been read.

        Nothing is asked, so that evidence has it all.
        """
        ends = max(began + seconds, time.monotonic() + _least_replay(began, seconds))
        return cls(ends, ends, seconds)

    @classmethod
    def unlimited(cls) -> Budget:
        """For a recording that nobody waits for."""
        return cls(math.inf)

    @property
    def longer(self) -> int:
        """Seconds that a second run may need where this one was too short."""
        return math.ceil(LONGER * self._seconds)

    @property
    def left(self) -> float:
        """Seconds left for collecting, not below 0."""
        return max(0.0, self.ends - time.monotonic())

    @property
    def assembling(self) -> float:
        """Seconds in which evidence may still be put together from what was answered.

        They begin at the end of collecting.
        """
        if self.judged_by == math.inf:
            return 0.0
        seconds_left = max(0.0, self.ends_for(0) - self.ends)
        return min(ASSEMBLING_SHARE * seconds_left, LONGEST_ASSEMBLING_S)

    def ends_for(self, findings: int) -> float:
        """Until when checks are judged, and causes proven, to print or seal so many findings."""
        after = PRINTING_PER_FINDING_S * findings
        if self._sealing_s is not None:
            after = SEALING_PER_FINDING_S * findings + self._sealing_s()
        return self.judged_by - max(0.0, self._waiting * after - LATE_S)

    def begin_asking(self) -> None:
        """Leave `LEAST_S` for the questions, which begin now.

        With load 18 and cold disk caches, loading the checks took 9 of 10 seconds. The run still
        ends in time. It is longer on a slow machine that needs all of it to load them.
        """
        least = self.at_least(LEAST_S)
        self._earliest = max(self._earliest, least)
        self.ends = max(self.ends, least)
        late = self.ends + REPORTING_S - self.judged_by
        if late > 0 and not _is_busy():
            self.judged_by += late
            self._seconds += late

    def at_least(self, seconds: float) -> float:
        """Until when a step may go on that gets so many seconds, however late the run is.

        On a busy host it ends `LATE_S` after the budget all the same: nobody knows for how long
        others will take the processor.
        """
        moment = time.monotonic() + seconds
        return min(moment, self.judged_by + LATE_S) if _is_busy() else moment

    def cut(self) -> None:
        """End collecting now."""
        self.ends = min(self.ends, time.monotonic())

    def keep_for_sealing(
        self, questions: Callable[[], int], secrets: Callable[[], int] = lambda: 0
    ) -> None:
        """Keep time for a bundle, too.

        questions, secrets: how many were asked, and redacted, by now.
        """
        self._sealing_s = lambda: SEALING_PER_QUESTION_S * questions() + proving_s(secrets())

    def keep_for_reporting(self, began: float, containers: int) -> None:
        """End collecting early enough to judge and print so many containers, as long as that takes
        on a host whose processors are busy."""
        if self.judged_by < math.inf:
            self._waiting = waiting_factor()
            collected_by = began + self._seconds_to_collect(self.judged_by - began, containers)
            self.ends = min(self.ends, max(collected_by, self._earliest))

    def _seconds_to_collect(self, seconds: float, containers: int) -> float:
        """How many seconds of a run are for collecting.

        All but what reporting and sealing take, and at least a part of the run.
        """
        after = REPORTING_S + REPORTING_PER_CONTAINER_S * containers
        share = REPORTED_SHARE
        if self._sealing_s is not None:
            after = after + SEALING_S + SEALING_PER_QUESTION_S * containers
            share = SEALED_SHARE
        return max(seconds - self._waiting * after, share * seconds)


def proving_s(secrets: int) -> float:
    """Seconds for the proof that a bundle holds none of so many secrets."""
    return PROVING_PER_SECRET_S * secrets


def _is_busy() -> bool:
    """Whether other processes take the processor from this one."""
    return waiting_factor() >= BUSY_FACTOR


def waiting_factor() -> float:
    """How many times as long as it works the main thread has taken, as it waited for a processor.

    /proc/self/schedstat has both in nanoseconds (Documentation/scheduler/sched-stats.rst). 1 where
    the kernel does not count.
    """
    try:
        worked, waited = map(int, Path("/proc/self/schedstat").read_text().split()[:2])
    except (OSError, ValueError):
        return 1.0
    return min(1 + waited / max(worked, 1), MOST_WAITING)


SHORT_S = 0.15
"""A step that takes no longer is done in any case."""


class TimeLimit:
    """Until when something should be done whose steps may be left out.

    slowness: how many times as long as its work a step takes where processors are busy.
    """

    def __init__(self, ends: float, slowness: float = 1.0) -> None:
        self.ends = ends
        self._slowness = slowness

    def allows(self, seconds: float, then: float = 0.0) -> bool:
        """Whether there is time for a step that works for about so many seconds.

        then: seconds of work that are needed after it.
        """
        takes = self._slowness * (seconds + then)
        return seconds <= SHORT_S or time.monotonic() + takes <= self.ends


UNLIMITED = TimeLimit(math.inf)
