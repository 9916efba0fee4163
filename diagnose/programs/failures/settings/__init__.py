"""Variables, secrets and configuration files that a program lacks or refuses."""
