"""What the engine or the runtime says when it refuses to start a container."""
