"""What compose files say, beside the containers that were made of them."""
