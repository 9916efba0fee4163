"""How the engine is installed on this host."""
