"""Ways of packets beside the two usual ones: to the host, between containers, of other bridges, and
back; each with look-alikes."""
