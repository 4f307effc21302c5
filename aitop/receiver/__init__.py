"""The listener's doors: the Unix socket, HTTP on loopback with its token, telemetry, forwarding.

A door limits size, time and number of what comes in and hands events on. It must not store or sum anything.
Read `unix_socket.py` first.
"""
