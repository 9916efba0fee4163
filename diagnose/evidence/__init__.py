"""Evidence: frozen typed views of answers, one module per kind, each with the function that
collects it."""
