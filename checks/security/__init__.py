"""The rights of a container on its host, and the secrets that it gives away.

Warnings where a break-out needs no flaw, else advice.

A module is named like its check. Modules with several checks:

- confinement: stop-denied, sysctl-denied
- engine: insecure-registry, socket-world-writable
- rights: capabilities, docker-socket-mounted, host-namespace, host-path, new-privileges,
  privileged, root-user, unconfined, writable-rootfs
- secrets: secrets-in-env, secrets-in-image
"""
