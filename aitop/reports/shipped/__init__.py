"""What became of the lines that agents wrote, and what they cost: edits from records, their fate from git.

Reads transcripts and asks git on demand; keeps no text, changes no repository, calls no model. Read `answer.py` first.
"""
