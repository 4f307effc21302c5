"""Telling people of alerts outside the displays: on the desktop, in tmux, through a command of theirs.

`memory` decides what is news, `channels` knows how each program is called, `sender` starts them. Nothing
here waits: every message is a process of its own, few at a time, ended when it hangs.
"""
