#!/bin/sh
# aitop for tmux: replaces #{aitop} and #{aitop_NAME} in status-left, status-right and every other global
# option that holds them, and writes down for the listener which texts this server shows, in which colours. Runs once,
# when tmux reads its configuration; from then on the listener sends the texts and no process is started at
# a refresh (tmux 3.2 and newer; older ones run segment.sh). integrations/tmux/README.md lists the options.
set -eu
unset CDPATH
here=$(cd -- "$(dirname -- "$0")" && pwd)
home=${AITOP_HOME:-$HOME/.aitop}
newline='
'
tab=$(printf '\t')
known=$(tmux show-options -g)
: "${TMUX:=$(tmux display-message -p '#{socket_path},#{pid},0')}"
pid=${TMUX%,*}
pid=${pid##*,}
socket=${TMUX%,*,*}

# option NAME DEFAULT: the user's @aitop_NAME; $known saves a call for each option that is not set.
option() {
	case "$newline$known" in
	*"$newline@aitop_$1 "*) tmux show-options -gqv "@aitop_$1" ;;
	*) printf '%s' "$2" ;;
	esac
}

# replace TEXT FROM TO: in $replaced, every FROM made TO.
replace() {
	replaced='' rest=$1
	while :; do
		case $rest in
		*"$2"*)
			replaced=$replaced${rest%%"$2"*}$3
			rest=${rest#*"$2"}
			;;
		*) break ;;
		esac
	done
	replaced=$replaced$rest
}

# quote TEXT: in $quoted, one word for sh.
quote() {
	replace "$1" "'" "'\\''"
	quoted="'$replaced'"
}

# inside TEXT: in $replaced, TEXT safe from strftime and formats inside a status line's #().
inside() {
	replace "$1" '%' '%%'
	replace "$replaced" '#' '##'
}

how=$(option push on)
if [ "$how" != off ] && [ "$(tmux display-message -p '#{e|<:1,2}' 2>/dev/null)" = 1 ]; then
	how=push
else
	how='read'
fi

# place NAME: what stands for #{aitop_NAME} in $placed; NAME goes into $names.
names=' '
place() {
	case $names in
	*" $1 "*) ;;
	*)
		names="$names$1 "
		if [ "$how" = push ] && [ "$1" != pane ] && [ "$1" != pane_cost ]; then
			variable=AITOP
			[ "$1" = aitop ] || variable=AITOP_$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')
			# While no listener runs: nothing, or the user's @aitop_off in place of the whole text and of the cost.
			case $1 in aitop | cost) off='#{?@aitop_off,#[push-default]#[dim]#{@aitop_off}#[pop-default],}' ;; *) off='' ;; esac
			tmux set-option -gq "@aitop_out_$1" "#{?#{e|<:#{T:@aitop_clock},#{AITOP_UNTIL}},#{$variable},$off}"
		fi
		;;
	esac
	if [ "$how" = push ]; then
		placed="#{E:@aitop_out_$1}"
	elif [ "$1" = pane ] || [ "$1" = pane_cost ]; then
		placed=''
	else
		quote "$here/segment.sh"
		inside "exec $quoted $1"
		placed="#($replaced)"
	fi
}

# interpolate TEXT: in $interpolated, every placeholder replaced.
interpolate() {
	interpolated='' left=$1
	while :; do
		case $left in *'#{aitop'*) ;; *) break ;; esac
		interpolated=$interpolated${left%%'#{aitop'*}
		left=${left#*'#{aitop'}
		name=${left%%\}*}
		case $name in
		'') name=aitop ;;
		_*[!a-z0-9_]* | [!_]*) name='' ;;
		_?*) name=${name#_} ;;
		*) name='' ;;
		esac
		if [ -z "$name" ]; then
			interpolated="$interpolated#{aitop"
			continue
		fi
		place "$name"
		interpolated=$interpolated$placed
		left=${left#*\}}
	done
	interpolated=$interpolated$left
}

# With @aitop_window_marks, each window's name is followed by the marks of its panes, inside the theme's own style.
if [ "$(option window_marks off)" = on ]; then
	for name_of_option in window-status-format window-status-current-format; do
		before=$(tmux show-options -gwqv "$name_of_option")
		case $before in
		*aitop*) ;;
		*'#W'*)
			replace "$before" '#W' '#W#{?#{aitop_pane}, #{aitop_pane},}'
			tmux set-option -gwq "$name_of_option" "$replaced"
			;;
		esac
	done
fi

# Every global option that holds a placeholder, or held one when this ran before.
found=$(
	printf '%s\n' "$known" "$(tmux show-options -gw)" | while IFS= read -r line; do
		case $line in
		*'#{aitop'* | *'@aitop_out_'* | *'/segment.sh'*) printf '%s\n' "${line%% *}" ;;
		esac
	done
)
for name_of_option in $found; do
	case $name_of_option in @aitop_*) continue ;; esac
	before=$(tmux show-options -gqv "$name_of_option")
	interpolate "$before"
	[ "$before" = "$interpolated" ] || tmux set-option -gq "$name_of_option" "$interpolated"
	again=$before
	while :; do
		case $again in
		*'#{E:@aitop_out_'*) again=${again#*'#{E:@aitop_out_'} shown=${again%%\}*} ;;
		*'/segment.sh'*) again=${again#*/segment.sh"'" } shown=${again%%\)*} ;;
		*) break ;;
		esac
		case $shown in '' | *[!a-z0-9_]*) ;; *) place "$shown" ;; esac
	done
done

# The clock of the comparison in place(): an option, since only T: asks strftime wherever it stands.
tmux set-option -gq @aitop_clock '%s'

panes=off
case $names in
*' pane '*)
	panes=on
	icons='working ● waiting ◐ idle ○'
	# shellcheck disable=SC2086 # words on purpose
	set -- $icons
	inner=''
	while [ $# -gt 1 ]; do
		tmux set-option -gq "@aitop_icon_$1" "$(option "pane_$1" "$2")"
		upper=$(printf '%s' "$1" | tr '[:lower:]' '[:upper:]')
		inner="$inner#{?#{m:*<#{pane_id}>*,#{AITOP_PANES_$upper}},#{@aitop_icon_$1},}"
		shift 2
	done
	tmux set-option -gq @aitop_out_pane "#{?#{e|<:#{T:@aitop_clock},#{AITOP_UNTIL}},#{P:$inner},}"
	;;
esac

# What the session of a pane has spent: AITOP_PANE_COSTS holds `<%1=$1.23>` for each pane that has one.
case $names in
*' pane_cost '*)
	panes=on
	cost='#{s|.*<#{pane_id}=([^>]*)>.*|\1|:AITOP_PANE_COSTS}'
	inner="#{?#{m:*<#{pane_id}=*,#{AITOP_PANE_COSTS}},$cost,}"
	tmux set-option -gq @aitop_out_pane_cost "#{?#{e|<:#{T:@aitop_clock},#{AITOP_UNTIL}},$inner,}"
	;;
esac

interval=$(option interval 5)
current=$(tmux show-options -gqv status-interval)
case "$interval$current" in
*[!0-9]*) ;;
*)
	if [ "$interval" -gt 0 ] && { [ "$current" -eq 0 ] || [ "$current" -gt "$interval" ]; }; then
		tmux set-option -gq status-interval "$interval"
		current=$interval
	fi
	;;
esac

# describe: the file the listener reads; one line a fact, tabs between.
describe() {
	printf 'tmux\t%s\nsocket\t%s\npid\t%s\nhow\t%s\npanes\t%s\n' "$(command -v tmux)" "$socket" "$pid" "$how" "$panes"
	every=2
	[ "${current:-0}" -ge 1 ] && [ "$current" -le 60 ] && every=$current
	printf 'every\t%s\n' "$every"
	for level in warning critical; do
		style=$(option "color_$level" '')
		[ -z "$style" ] || printf 'colour\t%s\t#[%s]\n' "$level" "$style"
	done
	for kind in burn context limit; do
		warning=$(option "${kind}_warning" '')
		critical=$(option "${kind}_critical" '')
		case $warning$critical in '' | *[!0-9.]*) continue ;; esac
		printf 'level\t%s\t%s\t%s\n' "$kind" "${warning:-0}" "${critical:-0}"
	done
	for name in $names; do
		case $name in
		pane | pane_cost) continue ;;
		aitop) format=$(option format '') ;;
		*) format=$(option "${name}_format" '') ;;
		esac
		if [ "$name" = aitop ] && [ -z "$format" ]; then
			printf 'show\taitop\tpreset\t%s\n' "$(option preset '')"
			continue
		fi
		if [ -z "$format" ]; then
			case $name in
			cost) format='{cost_today}' ;;
			context) format='{?{context_percent}}' ;;
			limit) format='{?{limit_worst}}' ;;
			*) format="{$name}" ;;
			esac
		fi
		replace "$format" "$tab" ' '
		printf 'show\t%s\tformat\t%s\n' "$name" "$replaced"
	done
}

umask 077
if [ "$names" = ' ' ]; then
	rm -f -- "$home/tmux/$pid"
else
	mkdir -p -- "$home/tmux"
	describe >"$home/tmux/.$pid"
	mv -f -- "$home/tmux/.$pid" "$home/tmux/$pid"
fi

command=$(option command "$(command -v aitop || :)")
for name in "$HOME/.local/bin/aitop" /opt/homebrew/bin/aitop /usr/local/bin/aitop; do
	[ -n "$command" ] && break
	[ -x "$name" ] && command=$name
done
# free_key OPTION KEY WORDS: in $key, the user's @aitop_OPTION, else KEY unless it is bound to something else.
free_key() {
	key=$(option "$1" '')
	[ -n "$key" ] && return
	key=$2
	! tmux list-keys -T prefix "$2" 2>/dev/null | grep -qv "aitop.* $3" || key=''
}

free_key popup_key u top
if [ -n "$command" ] && [ -n "$key" ] && [ "$key" != none ]; then
	quote "$command"
	size=$(option popup_size 90%)
	tmux bind-key "$key" display-popup -E -w "$size" -h "$size" "exec $quoted top" 2>/dev/null ||
		tmux bind-key "$key" split-window "exec $quoted top"
fi

# One key goes to the session that waits longest, one returns. tmux would cover the pane with a failure's code.
for pair in 'jump_key j next' 'jump_back_key J back'; do
	# shellcheck disable=SC2086 # words on purpose
	set -- $pair
	free_key "$1" "$2" "jump $3"
	[ -n "$command" ] && [ -n "$key" ] && [ "$key" != none ] || continue
	quote "$command"
	tmux bind-key "$key" run-shell -b "$quoted jump $3 --pane '#{pane_id}' --client '#{client_name}' || :"
done
