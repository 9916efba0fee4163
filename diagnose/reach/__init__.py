"""`--on ssh://HOST`.

A run on another host, which need not have the tool, Python, or a byte of room on its disks.

- `target`    what `--on` names.
- `folder`    the folder with its own Python (`.ci/folder` makes it), as an archive that can be
              shipped. `launcher.sh` starts it.
- `channel`   the system's ssh as three streams with deadlines.
- `remote.sh` what runs on the other side: it finds room, unpacks, runs, and leaves nothing.
- `visit`     one host, from the connection to its report.
- `tour`      all hosts at once: progress, reports in order, and the exit code of the worst.
- `command_line` what the other side is given of the command line, and where the reports go.
- `itself`    how this program is started once more, in a process of its own.
- `into_host` the entry of the image: out of the container, into the host.
"""

ON = "DIAGNOSE_ON"
"""The variable that says to a run over ssh by which address the reader reached its host."""
ON_BY_SUDO = "DIAGNOSE_ON_BY_SUDO"
"""The variable beside `ON` that says that sudo made the tool root over there."""
IN_CONTAINER = "DIAGNOSE_IN_CONTAINER"
"""The variable that says to a run from the image by which words the reader starts it."""
