"""What each page is answered with: functions from a connection and an address to JSON.

They read only, know no clock and no network, and leave sums to `reports` and `history.query`.
"""
