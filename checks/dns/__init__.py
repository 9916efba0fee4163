"""Name resolution: the host's own, and the way from containers to the servers they ask.

A module is named like its check. Modules with several checks:

- host_servers: host-broken, udp-blocked
- name_errors: name-unknown, server-fails
- resolv_conf: loopback-stub, no-nameserver
- services: name-shared-by-projects, service-on-other-network
"""
