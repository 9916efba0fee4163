"""The translation of addresses, on the way in and on the way out."""
