"""Programs that do jobs in the background, and the servers with their queues."""
