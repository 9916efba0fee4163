"""Name resolution: the host's own, and the way from containers to the servers they ask.

Rooms:

- `names/`  a name that does not resolve, or leads elsewhere than its caller means
- `servers/`  a server that gives no answer or another one, and what stops the queries

The modules above the rooms judge the files and the rules by which a container is led to a server.

A module is named like its check. Modules with several checks:

- names/name_errors: name-unknown, server-fails
- resolv_conf: loopback-stub, no-nameserver
"""
