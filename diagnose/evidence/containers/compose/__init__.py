"""Contents of compose files, compared with the containers that were created from them."""
