"""Answers of web servers: first pages, errors, redirects and their targets."""
