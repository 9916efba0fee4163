"""Made-up fleets: reports of recorded hosts, with other names, facts with noise, and causes that
are seeded.

`python -m tests.fleet.made_fleet 10000 FOLDER` writes two days of gzipped reports, for a
measurement.
"""

from __future__ import annotations

import copy
import functools
import gzip
import json
import random
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from hashlib import blake2s
from pathlib import Path
from typing import Any

import msgspec

from diagnose import registry, session
from diagnose.document import document
from diagnose.fleet.packed import Packed
from diagnose.fleet.reports import HostReport, Reader
from diagnose.questions.run import Options

FIXTURES = Path(__file__).parent.parent.parent / "fixtures"
HEALTHY = (
    "broken_host.control_host@20.10",
    "broken_host.control_host@26.1",
    "broken_host.control_host@28.5",
)
BEGIN = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
RACK = 40


class Seed(msgspec.Struct, frozen=True):
    """A cause that is put on hosts with a fact, and now and then on one without it."""

    id: str
    fact: tuple[str, str]
    holders: float = 0.2
    """The share of the hosts that have the fact."""
    with_fact: float = 0.97
    without: float = 0.01


@functools.cache
def judged(name: str) -> dict[str, Any]:
    """The report of a recorded host, of all checks."""
    asked = Options(source=FIXTURES / name, budget_s=600)
    return document(session.diagnose(registry.load, None, asked, began=time.monotonic()))


@functools.cache
def roots() -> dict[str, dict[str, Any]]:
    """The loud roots of the recorded broken host by id."""
    rows = judged("demo")["findings"]
    return {row["id"]: row for row in rows if row["root"] and row["severity"] != "advice"}


def _facts(rng: random.Random, number: int, plain: dict[str, str]) -> dict[str, str]:
    """The facts of a recorded host with what differs from host to host in a real fleet."""
    rack = number // RACK
    facts = {
        **plain,
        "kernel": rng.choices(
            ("6.1.0-18-amd64", "6.1.0-21-amd64", "6.8.0-31-generic"), (60, 35, 5)
        )[0],
        "distribution": rng.choices(("Debian 12", "Ubuntu 24.04"), (80, 20))[0],
        "gateway": f"10.{rack // 250}.{rack % 250}.1",
        "network": f"10.{rack // 250}.{rack % 250}.0/24",
        "resolvers": rng.choice(("10.0.0.53", "10.0.0.53, 10.1.0.53")),
        "clock": rng.choices(("synchronised", "not synchronised"), (98, 2))[0],
        "folder /etc/sysctl.d": "3 files",
    }
    facts |= {f"file /etc/sysctl.d/{name}.conf": f"{size} bytes" for name, size in _files(rng)}
    facts |= {
        f"image shop/{name}:1.4": f"{rng.choice((1, 1, 1, 2)):012x}"
        for name in ("web", "api", "cart")
    }
    if rng.random() < 0.3:
        facts["daemon.json mtu"] = rng.choice(("1400", "1450"))
    return facts


def _files(rng: random.Random) -> Iterator[tuple[str, int]]:
    for name, share in (("10-net", 0.9), ("50-cis", 0.5), ("60-db", 0.1), ("90-tuning", 0.3)):
        if rng.random() < share:
            yield name, 100 + len(name)


def host(
    rng: random.Random, number: int, taken: datetime, causes: list[str], facts: dict[str, str]
) -> dict[str, Any]:
    """The report of one host with these causes."""
    base = judged(HEALTHY[number % 3 if number % 20 else 0])
    name = f"web{number:05}"
    head = copy.copy(base["host"])
    head |= {
        "name": name,
        "id": blake2s(name.encode(), digest_size=16).hexdigest(),
        "labels": {"rack": f"r{number // RACK}", "role": rng.choice(("web", "api"))},
        "facts": facts,
        "changed": {
            f"/etc/sysctl.d/{file}.conf": (taken - timedelta(days=rng.randint(2, 400))).isoformat()
            for file, _ in _files(rng)
        },
    }
    findings = list(base["findings"])
    for id in causes:
        onset = taken - timedelta(minutes=rng.randint(1, 40))
        findings.append({**roots()[id], "onset": onset.isoformat()})
    checks = [
        {**row, "verdict": "passed"} if row["verdict"] == "unknown" else row
        for row in base["checks"]
    ]
    return {
        **base,
        "checks": checks,
        "host": head,
        "taken_at": taken.isoformat(),
        "source": "live",
        "findings": findings,
    }


def documents(
    rng: random.Random, hosts: int, seeds: list[Seed], *, day: int = 0, noise: float = 0.02
) -> Iterator[dict[str, Any]]:
    """The reports of a fleet on one day. noise: the share of hosts that have a cause for no reason
    at all."""
    known = list(roots())
    plain = {HEALTHY[at]: judged(HEALTHY[at])["host"]["facts"] for at in range(3)}
    for number in range(hosts):
        facts = _facts(rng, number, plain[HEALTHY[number % 3 if number % 20 else 0]])
        causes = []
        for seed in seeds:
            has = rng.random() < seed.holders
            facts.pop(seed.fact[0], None)
            if has:
                facts[seed.fact[0]] = seed.fact[1]
            if rng.random() < (seed.with_fact if has else seed.without):
                causes.append(seed.id)
        if rng.random() < noise:
            causes.append(rng.choice(known))
        taken = BEGIN + timedelta(days=day, seconds=number * 0.05)
        yield host(rng, number, taken, list(dict.fromkeys(causes)), facts)


def reports(rng: random.Random, hosts: int, seeds: list[Seed], **more: Any) -> list[HostReport]:
    """The same as a fleet reads them, without what a comparison does not need."""
    reader = Reader()
    found = []
    for row in documents(rng, hosts, seeds, **more):
        row["findings"] = [
            finding for finding in row["findings"] if finding["severity"] != "advice"
        ]
        row["checks"] = [{"id": id, "verdict": "passed"} for id in roots()]
        report = reader.report(Packed(row["host"]["name"], json.dumps(row).encode()))
        assert isinstance(report, HostReport), report
        found.append(report)
    return found


SEEDS = [
    Seed(
        "firewall.forwarding-off",
        ("file /etc/sysctl.d/99-hardening.conf", "213 bytes"),
        holders=0.15,
    ),
    Seed("storage.disk-full", ("daemon.json log-driver", "local"), holders=0.09),
    Seed("container.oom-killed", ("image shop/report:2.0", "00000000cafe"), holders=0.03),
]


def write(hosts: int, folder: Path) -> None:
    """Two days of reports; the second day's causes are new on most of their hosts."""
    for day, seeds in enumerate(([SEEDS[1]], SEEDS)):
        below = folder / f"day{day}"
        below.mkdir(parents=True)
        for row in documents(random.Random(day), hosts, list(seeds), day=day - 1):
            data = json.dumps(row, indent=1).encode()
            (below / f"{row['host']['name']}.json.gz").write_bytes(gzip.compress(data, 1))


if __name__ == "__main__":
    write(int(sys.argv[1]), Path(sys.argv[2]))
