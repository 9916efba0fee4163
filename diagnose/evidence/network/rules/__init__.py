"""The rules of packet filters, their writers, and lost rules."""
