"""What keeps the engine from starting: its configuration, its data, a kernel without a module."""
