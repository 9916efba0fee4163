"""The run itself: options of the user, the report's header, and the topology of the host."""
