"""`aitop web`: the numbers as pages in a browser, served on loopback. A program of its own.

It reads `state.json` and asks the history read-only, in a process for each question, with a deadline; it must not
write, count or price anything, and must not answer anyone but the user who started it. Read first: `serve.py` (the
process), `admission.py` (who is let in), `routes.py` (what is answered), `static/js/main.js` (the pages).
"""
