"""What is in the engine's data root, or hidden there, or elsewhere."""
