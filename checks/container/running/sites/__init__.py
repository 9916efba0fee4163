"""A site that answers its visitors, and does not give them what they asked for."""
