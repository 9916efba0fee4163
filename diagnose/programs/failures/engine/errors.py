"""Errors with which the engine gives up its start, with their meaning in plain words."""

from diagnose.programs.failures.engine.containerd import CONTAINERD
from diagnose.programs.failures.engine.machine import MACHINE
from diagnose.programs.failures.engine.networks import NETWORKS
from diagnose.programs.failures.engine.options import OPTIONS
from diagnose.programs.failures.engine.settings import SETTINGS
from diagnose.programs.failures.engine.storage import FILES, STORAGE

ENGINE_ERRORS = (*NETWORKS, *STORAGE, *OPTIONS, *FILES, *CONTAINERD, *MACHINE, *SETTINGS)
"""The first row that fits counts."""
