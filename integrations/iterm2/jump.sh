#!/bin/sh
# iTerm2: go to the tab of the session that has waited for you longest, or of the one you name, by its tty.
# Save it as ~/.config/iterm2/aitop-jump.sh (chmod +x). Settings, Keys, Key Bindings: + , Run Coprocess, that path
aitop=@AITOP@
"$aitop" jump "$@" 2>/dev/null && exit 0 # it runs in tmux
pid=$("$aitop" jump "$@" --pid) || exit 1
tty=/dev/$(ps -o tty= -p "$pid" | tr -d ' ')
exec osascript - "$tty" <<'SCRIPT'
on run argv
	tell application "iTerm2"
		repeat with aWindow in windows
			repeat with aTab in tabs of aWindow
				repeat with aSession in sessions of aTab
					if tty of aSession is item 1 of argv then
						select aWindow
						select aTab
						select aSession
						activate
						return
					end if
				end repeat
			end repeat
		end repeat
	end tell
end run
SCRIPT
