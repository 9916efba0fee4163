"""Clients that the engine or their own settings keep out, and those that it should keep out."""
