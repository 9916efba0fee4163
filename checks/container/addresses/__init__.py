"""A program has an address or a host name that its clients cannot use."""
