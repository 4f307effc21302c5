# aitop in the fish prompt: built-ins only, no process is started (fish 3.5 and newer).
# Save it as ~/.config/fish/conf.d/aitop.fish. It shows in the right prompt; if you have a
# fish_right_prompt of your own, call aitop_segment inside it.
function aitop_segment --description 'What AI coding costs now, from the aitop listener'
    set -l home $HOME/.aitop
    test -n "$AITOP_HOME"; and set home $AITOP_HOME
    set -l file $home/segments/fish
    test -n "$NO_COLOR"; and set file $home/segments/plain
    # The segment's time is its expiry: an age below zero is fresh. A pipe costs half of what a (substitution) does.
    # Where none is fresh, no listener runs: nothing is shown, or your AITOP_OFF, such as 'aitop off'.
    if not begin; path mtime -R -- $file | read -l age; and test "$age" -lt 0; end
        printf '%s' "$AITOP_OFF"
        return 0
    end
    # With {cost_project} there is a file for each folder with a session: that of $PWD, else of the folder above it.
    set -l parts
    path is -- $file%; and set parts (string split / -- $PWD)
    while set -q parts[2]
        set -l own $file%(string join % -- $parts[2..])
        if path is -- $own; and path mtime -R -- $own | read -l old; and test "$old" -lt 0
            set file $own
            break
        end
        set -e parts[-1]
    end
    read -l -d ' ' stamp pid text <$file
    printf '%s' $text
end
if not builtin -q path
    function aitop_segment --description 'What AI coding costs now, for fish before 3.5: starts a process'
        set -l home $HOME/.aitop
        test -n "$AITOP_HOME"; and set home $AITOP_HOME
        set -l file $home/segments/fish
        test -n "$NO_COLOR"; and set file $home/segments/plain
        test -r $file; and true >$home/.now 2>/dev/null; and command test $file -nt $home/.now; or return 0
        read -l -d ' ' stamp pid text <$file
        printf '%s' $text
    end
end
if not functions -q fish_right_prompt
    function fish_right_prompt
        aitop_segment
    end
end
