"""Memory, CPU, processes and open files that run out, of containers and of the host."""

from checks.resources import limits, machine, memory

__all__ = ["limits", "machine", "memory"]
