#!/bin/sh
# kitty: go to the window of the session that has waited for you longest, or of the one you name.
# Save it as ~/.config/kitty/aitop-jump.sh (chmod +x), and in kitty.conf beside it:
#              allow_remote_control socket-only
#              listen_on unix:/tmp/kitty-{kitty_pid}
#              map ctrl+shift+j launch --type=background --allow-remote-control ~/.config/kitty/aitop-jump.sh
# kitty knows the pid of each window's shell, so the session's ancestors are tried one after another.
aitop=@AITOP@
"$aitop" jump "$@" 2>/dev/null && exit 0 # it runs in tmux
pid=$("$aitop" jump "$@" --pid) || exit 1
while [ "${pid:-1}" -gt 1 ]; do
	kitty @ focus-window --match "pid:$pid" 2>/dev/null && exit 0
	pid=$(ps -o ppid= -p "$pid" | tr -d ' ')
done
echo "no window of this kitty runs that session" >&2
exit 1
