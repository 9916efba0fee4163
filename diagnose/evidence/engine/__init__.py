"""The engine: its process, configuration, log, sockets and data root."""
