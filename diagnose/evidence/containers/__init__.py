"""Containers: what they are, how much they may do, and what the engine remembers of them.

Rooms:

- `compose/`  what compose files say, beside the containers that were made of them
- `devices/`  devices that were asked for, given, denied and taken back
- `ends/`  how containers ended, at whose request, and what has taken their place
- `logs/`  their lines, their files, and who writes them
- `mounts/`  what is mounted into them
- `peers/`  whom they call, and what comes of it
- `programs/`  the programs in them, and the files that these need
- `settings/`  variables, options and mounted files of settings

`Container` and `Containers` are imported from `listing`, which collects them; `container` has what
a container is, and `containers` what all of them are together.
"""
