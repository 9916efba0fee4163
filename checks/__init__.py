"""The built-in pack: what is known about Docker hosts, one module per family of checks."""
