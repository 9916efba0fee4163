"""Questions about files, answered by a helper process because they may block in the kernel.

`files` and `images` have the collectors; `worker` lists what runs in the helper process.

Rooms:

- `compose/`  compose files, read and compared
- `parts/`  what is recorded of a user's file
- `jobs/`  what cron and systemd of the host do with docker
"""
