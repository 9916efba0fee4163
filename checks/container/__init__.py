"""Containers that do not start, do not stay, or do not work.

Rooms:

- `starts/`  the engine cannot start the container
- `ends/`  its program ends, once or again and again
- `running/`  it runs, and does not do its work
- `mounts/`  what is mounted into it is missing, forbidden, old or in use
- `settings/`  an option, a variable, a device or a kernel setting is wrong
- `peers/`  what it calls refuses the call, or is not there

The commands that their pages offer for a line of a log are chosen in `diagnose/first_steps/`.

A module is named like its check. Modules with several checks:

- ends/stop_and_restart: ignores-stop-signal, killed-in-shutdown, no-restart-policy
- mounts/data_in_use: data-locked, data-version-mismatch
- running/state: dead, paused, shim-lost, zombies
- settings/variables: variable-malformed, variable-missing
- starts/entrypoint: entrypoint-forbidden, entrypoint-missing
- starts/program_format: exec-format, interpreter-missing
- starts/recreated: older-than-its-tag, recreate-interrupted
"""
