"""The durable store: every response, tool call and error once, priced, with sums that always agree.

`write/` is its only writer, `query/` answers questions, `recovery/` keeps copies. It must not know a client's
format or render anything. Read `schema.py` first, then `store.py`.
"""
