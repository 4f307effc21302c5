"""The durable store: what every file told, once, priced, with sums that always agree with it.

`store` is its one writer, `read` its questions; the rules of counting are in `rows` and `responses`.
"""
