"""From the words of a person, or from a pasted error message, to the checks they may be about.

`search` ranks the pages. `page_words` are the words of each page, `complaints` are what people say
of its fault, `words` says which words tell nothing and which mean the same, and `spelling` how they
are typed. For an error message `error_texts` says what it means, and `quoted_errors` which pages
quote it. `named_places` says what its addresses, ports and names are on the examined host,
`named_containers` what is known of its containers, and `asked_ways` which connections a question is
about.
"""
