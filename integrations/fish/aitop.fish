# aitop in the fish prompt: built-ins only, no process is started (fish 3.5 and newer).
# Save it as ~/.config/fish/conf.d/aitop.fish. It shows in the right prompt; if you have a
# fish_right_prompt of your own, call aitop_segment inside it.
function aitop_segment --description 'What AI coding costs now, from the aitop listener'
    set -l home $HOME/.aitop
    test -n "$AITOP_HOME"; and set home $AITOP_HOME
    set -l name fish
    test -n "$NO_COLOR"; and set name plain
    set -l file $home/segments/$name
    test -r $file; or return 0
    # The segment's time is its expiry: an age below zero is fresh.
    if builtin -q path
        set -l age (path mtime -R -- $file)
        test "$age" -lt 0 2>/dev/null; or return 0
    else
        true >$home/.now 2>/dev/null; or return 0
        command test $file -nt $home/.now; or return 0
    end
    set -l stamp
    set -l pid
    set -l text
    read -d ' ' stamp pid text <$file
    printf '%s' $text
end
if not functions -q fish_right_prompt
    function fish_right_prompt
        aitop_segment
    end
end
