"""The machine below the engine: clock, kernel log, pressure and processes.

In the room `limits/`: what the kernel allows at most.
"""
