"""Names that containers call: unknown, known to one server alone, shared, or moved."""
