"""Settings of well-known images that do nothing without another part, as data.

`parts.py` has the kinds of part that a rule can look for, and `needs.py` what a rule is. A rule is
a row in the module of its subject, and `table.py` joins them.
`diagnose/evidence/containers/settings/unmet_needs.py` compares them with the containers.
"""
