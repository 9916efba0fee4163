"""DNS: configured resolvers, lookups from containers and the host, and queries that a firewall
drops."""
