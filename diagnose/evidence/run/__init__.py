"""The run itself: what the user asked for, the report's header, and the topology of the host."""
