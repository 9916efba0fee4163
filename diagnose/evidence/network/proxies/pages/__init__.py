"""What web servers answer: their first pages, errors, redirects and what these lead to."""
