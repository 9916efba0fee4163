"""Memory, CPU, processes and open files that run out, of containers and of the host.

One module per topic:

- limits: no-limits, cpu-throttled, limits-not-enforced
- machine: io-saturated, cgroup-driver
- memory: host-oom, memory-scarce, memory-near-limit
- open_files: open-files-exhausted
- pids: pids-exhausted
"""
