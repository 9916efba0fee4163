"""The rules of packet filters, who wrote them, and which are lost."""
