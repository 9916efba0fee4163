"""The checks in checks/container/ends/cpu_unsupported.py."""

from __future__ import annotations

import pytest

from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.programs.program_faults import ProgramFault, ProgramFaults
from diagnose.evidence.machine.processor import Processor
from tests.checks.container.evidence import CLOCK, FOUND, NOW, container_in, failed_with_log
from tests.inspected import of
from tests.judging import judge, rows


@pytest.mark.parametrize(
    ("flags", "expected"), [({"sse2"}, FOUND), ({"sse2", "sse4_2", "popcnt", "ssse3"}, [])]
)
def test_a_processor_of_an_older_level(flags: set[str], expected: list[tuple[str, str]]):
    container, log_tails = failed_with_log("Fatal glibc error: CPU does not support x86-64-v2")
    result = judge(
        "container.cpu-unsupported",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        processor=Processor("QEMU", frozenset(flags)),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("flags", "expected"), [({"sse4_2"}, FOUND), ({"sse4_2", "avx", "avx2"}, [])]
)
def test_a_trap_without_a_log_counts_only_where_a_feature_is_missing(
    flags: set[str], expected: list[tuple[str, str]]
):
    container = container_in("exited", code=132)
    fault = ProgramFault(
        NOW - 60, "mongod", "invalid opcode", "traps: mongod[7] trap invalid opcode"
    )
    result = judge(
        "container.cpu-unsupported",
        containers=of(container),
        clock=CLOCK,
        log_tails=LogTails({}, {}),
        processor=Processor("QEMU", frozenset(flags)),
        program_faults=ProgramFaults({container.id: fault}),
    )
    assert rows(result) == expected


@pytest.mark.parametrize(
    ("image", "flags", "variables"),
    [
        pytest.param("mongo:7", {"sse2"}, {"older": "mongo:4.4"}, id="MongoDB"),
        pytest.param("shop/mongo:7", {"hypervisor"}, {"shown": "QEMU"}, id="a guest"),
        pytest.param("shop:1", {"sse2"}, {}, id="a machine"),
    ],
)
def test_what_helps_where_instructions_are_missing(
    image: str, flags: set[str], variables: dict[str, str]
) -> None:
    line = "Fatal glibc error: CPU does not support x86-64-v2"
    container, log_tails = failed_with_log(line, Config={"Image": image})
    result = judge(
        "container.cpu-unsupported",
        containers=of(container),
        clock=CLOCK,
        log_tails=log_tails,
        processor=Processor("QEMU", frozenset(flags)),
    )
    (finding,) = result.findings
    assert finding.variables == {"container": "web", **variables}
