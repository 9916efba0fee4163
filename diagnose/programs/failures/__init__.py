"""The world's commonest failures of programs in containers, as data.

Each row has the words of a log, their meaning, and the remedy.

Each row is one failure of one program, or of many. `recognise` finds the row that a log shows. A
row alone proves nothing about the host: it is what the program says. Where the host can confirm it,
`confirmed_by` names the check that compares.

`recognition` says what a row is, `captured_values` how its values are read, `table` in which order
rows are tried, `remedies` what a command can change. The modules in the rooms have the rows, and
are called after what these are about.

Rooms of the rows that a program's own log shows:

- `databases/`  databases, brokers, caches, search servers and stores: data, clusters and clients
- `network/`  web servers, proxies, tunnels, name servers, and calls that lead nowhere
- `languages/`  language runtimes: packages, libraries, memory, processors and processes
- `settings/`  variables, secrets and configuration files that a program lacks or refuses
- `host/`  what the host, the kernel or an option withholds: files, rights, limits
- `products/`  applications of one kind alone: self-hosted programs, backups, collectors, runners

Rooms of other rows:

- `engine/`  what the engine says when it cannot start, or refuses a request
- `starts/`  what the engine or the runtime says when it refuses to start a container
- `commands/`  what a command prints that fails: docker, compose, builds, pulls
"""

from diagnose.programs.failures.recognition import (
    Failure,
    LateTable,
    Recognised,
    family_of_running,
    recognise,
    recognise_family,
    shown_by_any,
)

FAILURES = LateTable("diagnose.programs.failures.table", "FAILURES")
"""Errors of programs in containers."""
START_ERRORS = LateTable("diagnose.programs.failures.starts.errors", "START_ERRORS")
"""Errors of the engine about a container that it could not start."""
ENGINE_ERRORS = LateTable("diagnose.programs.failures.engine.errors", "ENGINE_ERRORS")
"""Errors of the engine when it cannot start itself."""
ENGINE_REQUESTS = LateTable("diagnose.programs.failures.engine.requests", "ENGINE_REQUESTS")
"""Errors of a running engine about requests that it refuses."""
REFUSED_COMMANDS = LateTable(
    "diagnose.programs.failures.commands.refused_commands", "REFUSED_COMMANDS"
)
"""Errors of docker and compose about a refused command, which leaves nothing on the host."""
REFUSED_STARTS = LateTable("diagnose.programs.failures.commands.refused_starts", "REFUSED_STARTS")
"""Errors of systemd, a package or the engine where Docker itself does not start."""
REFUSED_CALLS = LateTable("diagnose.programs.failures.commands.refused_calls", "REFUSED_CALLS")
"""Errors of a failed call, where the program that calls explains no more."""
TRACED_ERRORS = LateTable("diagnose.programs.failures.commands.traced_errors", "TRACED_ERRORS")
"""Errors of docker about a failure that a check finds on the host too."""
REGISTRY_ERRORS = LateTable(
    "diagnose.programs.failures.commands.registry_errors", "REGISTRY_ERRORS"
)
"""Errors of docker about a pull or push that fails on the way or at the layers."""
KERNEL_LINES = LateTable("diagnose.programs.failures.host.kernel_lines", "KERNEL_LINES")
"""Lines of the kernel's log about containers and the resources that they need."""
ENGINE_CALLS = LateTable("diagnose.programs.failures.engine.calls", "ENGINE_CALLS")
"""System calls that the kernel refused to the engine: the end of a message that no other table
knows."""
REFUSAL_FORMS = LateTable("diagnose.programs.failures.commands.refusal_forms", "REFUSAL_FORMS")
"""The forms of docker's refusals, where no row knows the subject."""
BUILD_ERRORS = LateTable("diagnose.programs.failures.commands.builds", "BUILD_ERRORS")
"""Errors of BuildKit and of the steps of a failed build."""
PACKAGE_TOOLS = LateTable("diagnose.programs.failures.commands.step_tools", "PACKAGE_TOOLS")
"""Errors of package managers and compilers: of `BUILD_ERRORS`, those that no other program prints.
"""
