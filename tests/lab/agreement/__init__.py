"""Generated hosts on which real packets are compared with what the walk says of them."""
