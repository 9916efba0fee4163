"""Published ports: who may reach them, and who does all the same."""
