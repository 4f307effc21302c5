"""Why a listener ends: the reasons that others than a signal's name give. They stand in the log."""

UPGRADE = "upgrade"
DAMAGED = "damaged"
HOME_LOST = "its home was removed or replaced"
LOCK_LOST = "another listener took the lock"
HISTORY_LOST = "its history was removed or replaced"
START_ANEW = (UPGRADE, DAMAGED, HISTORY_LOST)  # after these the same process starts again
