"""The ways out of containers: to the outside, to DNS servers, to other nodes."""
