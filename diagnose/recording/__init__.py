"""Questions and recorded answers: ask each once, keep the answers, read them back."""
