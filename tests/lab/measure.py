"""Run a command and write its wall time (seconds) and peak resident memory (bytes) as JSON to a
file.

Run as a script, by a small process: a child forked from pytest would count pytest's memory as its
own.
"""

import json
import os
import resource
import sys
import time

target, command = sys.argv[1], sys.argv[2:]
begin = time.monotonic()
child = os.spawnv(os.P_NOWAIT, command[0], command)
_, status = os.waitpid(child, 0)
wall = time.monotonic() - begin
with open(target, "w") as file:
    json.dump([wall, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024], file)
code = os.waitstatus_to_exitcode(status)
sys.exit(code if code >= 0 else 128 - code)
