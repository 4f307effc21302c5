#!/bin/sh
# aitop in the GNOME panel by way of Argos: save it as ~/.config/argos/aitop.r.2s+.sh, executable.
exec '@AITOP@' swiftbar
