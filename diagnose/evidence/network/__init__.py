"""The network: interfaces, routes, container namespaces, firewall paths and listeners."""
