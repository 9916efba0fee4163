"""Programs and commands in a fresh network namespace, and what the network process answers
there."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

PROJECT = Path(__file__).parents[2]

root = pytest.mark.skipif(os.geteuid() != 0, reason="needs root for a network namespace")

ASK = """
import json, sys
from diagnose.live import Live, failure
from diagnose.live.network import iptables, process
from tests.questions import question
live = Live()
def answer(kind, args):
    collector = iptables.iptables_save if kind == "iptables" else process.ask
    try:
        return collector(live, question(kind, **args))
    except Exception as error:
        return {"failed": failure(error).reason}
print(json.dumps({name: answer(*asked) for name, asked in json.loads(sys.argv[1]).items()}))
"""


def answers_inside(
    asked: Mapping[str, tuple[str, Mapping[str, Any]]],
    before: str = "",
    after: str = "",
    as_nobody: bool = False,
) -> tuple[dict[str, Any], str]:
    """The answers to questions (kind and arguments by a name) in a fresh network namespace, and
    what `after` prints there.

    before and after are shell scripts, in which $PYTHON is this interpreter.
    """
    user = "setpriv --reuid=65534 --regid=65534 --clear-groups" if as_nobody else ""
    script = f'{before}\n{user} "$PYTHON" -c "$1" "$2"\necho\n{after}'
    done = subprocess.run(
        ["unshare", "--net", "sh", "-ec", script, "sh", ASK, json.dumps(asked)],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env=os.environ | {"PYTHONPATH": str(PROJECT), "PYTHON": sys.executable},
    )
    answer, _, rest = done.stdout.partition("\n\n")
    return json.loads(answer.splitlines()[-1]), rest.strip()
