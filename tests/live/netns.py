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


class Holder:
    """A process in a network namespace of its own, with a bridge whose port forwards, a veth and a
    listener on loopback."""

    script = (
        "import socket,subprocess,sys,time\n"
        "for c in ('link set lo up','link add br9 type bridge','link add v0 type veth peer name v1',"
        "'link set v0 master br9','link set v0 mtu 1400','addr add 10.97.0.1/24 dev br9','link set br9 up',"
        "'link set v0 up','link set v1 up','route add 10.98.0.0/16 via 10.97.0.2'):\n"
        "    subprocess.run(['ip',*c.split()],check=True)\n"
        # a link that is set up has its carrier, and its port its state, a moment later
        "show=['ip','-d','link','show','v0']\n"
        "while 'state forwarding' not in subprocess.run(show,capture_output=True,text=True).stdout:\n"
        "    time.sleep(0.01)\n"
        "t=socket.create_server(('127.0.0.1',8080))\n"
        "s=socket.create_server(('::',8443),family=socket.AF_INET6)\n"
        "u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\nu.bind(('0.0.0.0',5353))\n"
        "print('ready',flush=True)\nsys.stdin.read()\n"
    )

    def __enter__(self) -> int:
        self.process = subprocess.Popen(
            ["unshare", "--net", sys.executable, "-c", self.script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"
        return self.process.pid

    def __exit__(self, *_: object) -> None:
        self.process.communicate()


def start_time(pid: int) -> int:
    stat = Path(f"/proc/{pid}/stat").read_text()
    return int(stat[stat.rindex(")") + 2 :].split()[19])
