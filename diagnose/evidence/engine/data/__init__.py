"""Data in the engine's data root, hidden there, or elsewhere."""
