"""References to variables in a shell's words. Pure."""

from diagnose.lazy_pattern import LazyPattern

REFERENCE = LazyPattern(
    r"\$(?:\{(?P<braced>[A-Za-z_]\w{0,60})(?::?-(?P<default>[^}]{0,100}))?\}"
    r"|(?P<plain>[A-Za-z_]\w{0,60}))"
)
"""$DATA, ${DATA} and ${DATA:-/data}."""
