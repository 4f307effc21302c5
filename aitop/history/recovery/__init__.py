"""Backups of the history, checks of its integrity, and how a damaged one is put together again.

Read `restore.py` first. Nothing here runs while the history is sound, but for the daily backup.
"""
