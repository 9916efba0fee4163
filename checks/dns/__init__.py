"""Name resolution: the host's own, and the way from containers to the servers they ask.

A module is named like its check. Modules with several checks:

- name_errors: name-unknown, server-fails
- resolv_conf: loopback-stub, no-nameserver
"""
