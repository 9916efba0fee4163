"""Compound incidents: faults, what follows from them in services that really fail, and a bystander
beside them."""
