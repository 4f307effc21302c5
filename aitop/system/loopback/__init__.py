"""Who may use our TCP ports on this machine: rules that the telemetry receiver and the gateway share.

Every user and every web page of a machine reaches its loopback. Read `web_origin.py` first. This room must not
open a port and must not know what is sent.
"""
