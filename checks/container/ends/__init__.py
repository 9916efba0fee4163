"""Its program ends, once or again and again."""
