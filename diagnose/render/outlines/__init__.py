"""The contents of a report in their order and groups, which all renderers for people share."""
