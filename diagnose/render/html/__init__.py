"""The report as one HTML file with drawings.

`page` puts the file together; `networks` and `moments` draw `shapes`.
"""
