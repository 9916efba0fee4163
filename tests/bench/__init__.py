"""What a run costs on hosts of 10, 100 and 1,000 containers, beside curl and the Go client: `python
-m tests.bench`.

Needs what the lab needs (`tests/lab`), and curl. Everything is printed and nothing asserted:
absolute times belong to the machine they were taken on, and ratios come from alternating runs, pair
by pair.
"""
