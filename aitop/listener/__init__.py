"""The one background process: the only loop, the only clock, the only socket."""
