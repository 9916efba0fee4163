"""Applications of one kind alone: self-hosted programs, backups, collectors, runners."""
