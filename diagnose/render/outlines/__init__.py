"""What a report says, in which order and in which group: what the renderers for people share."""
