"""Containers that do not start, do not stay, or do not work.

Rooms:

- `starts/`  the engine cannot start the container
- `ends/`  its program ends, once or again and again
- `running/`  it runs, and does not do its work
- `mounts/`  what is mounted into it is missing, old, or not seen by its program
- `access/`  its user may not open or write what is mounted, or files of its image
- `data/`  its data lies outside the mounts that should keep it, is in use, old or left behind
- `settings/`  a variable, a label or a file of settings is wrong, misread or without effect
- `options/`  an option, a device or a kernel setting is missing or in the way
- `addresses/`  it has an address or a host name that its clients cannot use
- `compose/`  what the files of its project say is refused, misread or not applied
- `host_jobs/`  a job or a unit of the host calls docker, and fails or stops it
- `peers/`  what it calls refuses the call, or is not there

The commands that their pages offer for a line of a log are chosen in `diagnose/first_steps/`.

A module is named like its check. Modules with several checks:

- data/data_in_use: data-locked, data-version-mismatch
- ends/stop_and_restart: ignores-stop-signal, killed-in-shutdown, no-time-to-stop,
  no-restart-policy
- running/state: dead, paused, shim-lost, zombies
- starts/entrypoint: entrypoint-forbidden, entrypoint-missing
- starts/program_format: exec-format, interpreter-missing
- starts/recreated: older-than-its-tag, recreate-interrupted
"""
