"""Published ports, and the clients that call them."""
