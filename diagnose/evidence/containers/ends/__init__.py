"""How containers ended, at whose request, and what has taken their place."""
