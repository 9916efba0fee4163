"""Swarm nodes, managers without a majority, services that lack tasks, and stuck updates."""
