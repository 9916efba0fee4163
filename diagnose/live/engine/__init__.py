"""Questions to the engine's API, and where its endpoint is."""
