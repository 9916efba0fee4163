"""From the words of a person, or from a pasted error message, to the checks they may be about.

`search` ranks the pages, by the `words` that they share with a question. For an error message
`error_texts` says what it means, and `quoted_errors` which pages quote it. `named_places` says what
its addresses, ports and names are on the examined host, and `asked_ways` which connections a
question is about.
"""
