"""Exit codes of reports: what could not be looked at, and whether that matters."""

from __future__ import annotations

import pytest

from diagnose import registry
from diagnose.judgement.exit_codes import OK, UNKNOWN, code_of
from diagnose.model import HostFacts, Report, Result, Verdict

CHECK = registry.load(["firewall"])["firewall.forward-dropped"]
ELSEWHERE = "not on this host: the tool runs in another network namespace than the engine"

CASES = {
    "a rootless engine's own namespace": ({"rootless"}, ELSEWHERE, OK),
    "a namespace that the tool should share": ({"systemd"}, ELSEWHERE, UNKNOWN),
    "containers without cgroups": ({"rootless"}, "web: its cgroup: missing", OK),
    "a rootless engine that does not answer": ({"rootless"}, "timed out: GET /networks", UNKNOWN),
}


@pytest.mark.parametrize("name", CASES)
def test_what_a_rootless_engine_always_hides_is_no_alarm(name: str) -> None:
    traits, why, code = CASES[name]
    result = Result(CHECK, Verdict.UNKNOWN, why=why)
    head = HostFacts("shop-3", "6.1", None)
    report = Report(
        "1.0",
        head,
        taken_at=0.0,
        duration_s=0.0,
        source="live",
        findings=(),
        results=(result,),
        traits=frozenset(traits),
    )
    assert code_of(report, "warning") == code
