"""`diagnose setup`.

What makes the tool appear where people meet a failure, each part put in and taken out on demand.

- `places`  where the parts go, for all users of a host or for one.
- `parts`   the parts: the Docker CLI plugin, its hook, completions, man pages, a systemd timer.
- `manual`  man pages, made from the help of the commands.
- `docker-diagnose.sh`, `diagnose.service`, `diagnose.timer`  the texts of plugin and timer.
"""
