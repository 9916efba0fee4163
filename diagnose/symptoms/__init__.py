"""From the words of a person, or from a pasted error message, to the checks they may be about.

`search` ranks the pages. `page_words` are the words of each page, `complaints` are what people say
of its fault, `words` says which words tell nothing and which mean the same, and `spelling` how they
are typed. For an error message `error_texts` says what it means, and `quoted_errors` which pages
quote it.

`user_question` reads once what the words name: ports, addresses, names, ends of a connection. From
that `named_places` says what these are on the examined host, `named_containers` which containers
are meant and what is known of them, and `asked_ways` which connections the question is about.
"""
