"""The installation of the engine on this host."""
