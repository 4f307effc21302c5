"""Output quality by a judge that the user names: off by default, bounded in cost, and no text is ever kept.

While it is off nothing here reads a transcript. When it is on, texts of sampled turns are in memory for one request
to the judge; the disk gets numbers. It must not run inside the listener. Read `run.py` first.
"""
