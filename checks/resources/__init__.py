"""Memory, CPU, processes and open files that run out, of containers and of the host.

A module is named like its check. Modules with several checks:

- limits: cpu-throttled, limits-not-enforced, no-limits
- machine: cgroup-driver, io-saturated
- memory: host-oom, memory-near-limit, memory-scarce
"""
