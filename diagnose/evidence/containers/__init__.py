"""Containers: their settings, their rights on the host, and the engine's records of them.

Rooms:

- `addresses/`  addresses and host names in their settings, and the proxies between them
- `compose/`  contents of compose files, compared with the containers that were created from them
- `devices/`  devices that were asked for, given, denied and taken back
- `ends/`  ends of containers, who requested them, and the containers that took the place
- `logs/`  their lines, their files, and the processes that write them
- `mounts/`  host paths and volumes that are mounted into them
- `options/`  options of `docker run` that they lack, and those that are in their way
- `peers/`  calls between containers, and their outcomes
- `programs/`  the programs in them, and the files that these need
- `settings/`  labels, commands and mounted files of settings
- `variables/`  variables that are misspelt, misread, unlike their files, or without effect
- `workers/`  programs that do jobs in the background, and the servers with their queues

`Container` and `Containers` are imported from `listing`, which collects them; `container` has the
properties of one container, and `containers` those of all of them together.
"""
