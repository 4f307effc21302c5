#!/bin/sh
# Hands one Claude Code event (stdin) to the aitop listener: by the forwarder that `aitop install` proved, else by
# the command. Silent, exits 0. Where settings.json has our hooks too, those have it: an event is reported once.
exec >/dev/null 2>&1
home=${AITOP_HOME:-${HOME-}/.aitop}
project=${CLAUDE_PROJECT_DIR:-$PWD}/.claude
for settings in "${CLAUDE_CONFIG_DIR:-${HOME-}/.claude}/settings.json" "$project/settings.json" "$project/settings.local.json"; do
	[ -e "$settings" ] && [ -x "$home/hook" ] && grep -qF -- "\"$home/hook\"" "$settings" && exit 0
done
[ -x "$home/hook" ] && exec "$home/hook" "$@"
PATH=${PATH-}:${HOME-}/.local/bin:/opt/homebrew/bin:/usr/local/bin
command -v aitop && exec aitop hook "$@"
exit 0
