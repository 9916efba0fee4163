"""Settings that the engine refuses in its configuration file, and edits that it accepts.

- `keys`     the settings by engine version, and the types that the engine's decoder takes.
- `syntax`   a fault and its place in the text; a JSON error in words.
- `values`   values of the right type that the engine refuses all the same.
- `refusals` all faults of a text, for one engine version.
- `file_repair`  edits for those that have one plausible reading.
- `faults`   the evidence: the installed engine's own judgement, ours, and its last words.
"""
