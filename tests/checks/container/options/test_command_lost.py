"""container.command-lost: entrypoints of containers, and what they make of no command."""

from __future__ import annotations

from typing import Any

import pytest

from diagnose.evidence.containers.logs.tail import LogTail
from diagnose.evidence.containers.logs.tails import LogTails
from diagnose.evidence.containers.options.lost_commands import lost_commands
from tests.hosts import Made
from tests.inspected import container, of
from tests.judging import judge, rows

WAITS = '#!/bin/sh\nuntil nc -z db 5432; do sleep 1; done\nexec "$@"\n'
ALWAYS = {"RestartPolicy": {"Name": "always"}}
ENDED = {"Status": "exited", "ExitCode": 0}
FAILED = {"Status": "exited", "ExitCode": 1}
FOUND = [("critical", "web")]
CASES: dict[str, tuple[dict[str, Any], str, list[tuple[str, str]]]] = {
    "it should stay": ({"HostConfig": ALWAYS}, WAITS, FOUND),
    "it ended as a job": ({}, WAITS, []),
    "it printed a usage": ({"State": FAILED}, WAITS, FOUND),
    "it has a command": ({"HostConfig": ALWAYS, "Cmd": ["true"]}, WAITS, []),
    "the entrypoint of the image": ({"HostConfig": ALWAYS, "Entrypoint": ["/image.sh"]}, WAITS, []),
    "the script ignores its arguments": ({"HostConfig": ALWAYS}, "#!/bin/sh\nmigrate\n", []),
    "only a comment names them": ({"HostConfig": ALWAYS}, '#!/bin/sh\n# exec "$@"\nx\n', []),
    "the script has a default": ({"HostConfig": ALWAYS}, '#!/bin/sh\nexec "${@:-x}"\n', []),
    "the script counts them": (
        {"HostConfig": ALWAYS},
        '#!/bin/sh\n[ $# -eq 0 ] && set -- x\nexec "$@"\n',
        [],
    ),
    "behind a wrapper": ({"HostConfig": ALWAYS}, '#!/bin/sh\nexec gosu app "$@"\n', FOUND),
    "it runs": ({"HostConfig": ALWAYS, "State": {"Status": "running", "Pid": 7}}, WAITS, []),
}


@pytest.mark.parametrize(("facts", "script", "expected"), CASES.values(), ids=CASES)
def test_entrypoint_alone(
    facts: dict[str, Any], script: str, expected: list[tuple[str, str]]
) -> None:
    config = {"Entrypoint": facts.get("Entrypoint", ["/wait.sh"]), "Cmd": facts.get("Cmd")}
    web = container(
        Config=config, State=facts.get("State", ENDED), HostConfig=facts.get("HostConfig", {})
    )
    host = Made(
        {
            "api.archive": {"type": "file", "hex": script.encode().hex()},
            "api.image": {
                "Id": "sha256:1111",
                "Config": {"Cmd": ["nginx"], "Entrypoint": ["/image.sh"]},
            },
        }
    )
    tails = LogTails({web.id: LogTail(("Usage: gosu user-spec command [args]",))}, {})
    found = lost_commands(host, of(web), tails)
    assert rows(judge("container.command-lost", lost_commands=found)) == expected
