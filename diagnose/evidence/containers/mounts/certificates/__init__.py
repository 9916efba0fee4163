"""Certificates that containers read from mounted files."""
