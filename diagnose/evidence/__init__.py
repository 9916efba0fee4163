"""Frozen typed views of answers.

One module per kind, each with the function that collects it.
"""
