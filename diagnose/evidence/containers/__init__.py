"""Containers: their inspect, logs, cgroups, events and what they run."""
