"""The machine below the engine: clock, kernel log, limits, pressure and processes."""
