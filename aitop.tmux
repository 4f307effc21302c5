#!/bin/sh
# The tmux plugin manager runs only what lies in a repository's root.
exec "${0%/*}/integrations/tmux/aitop.tmux"
