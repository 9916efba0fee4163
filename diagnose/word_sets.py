"""Sets of words, written as a text and not as a list with a line for each."""


def vocabulary(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())
