# 2. Save it as ~/.config/fish/conf.d/aitop_starship.fish (fish 3.5 and newer).
function __aitop_starship --on-event fish_prompt
    set -l home $HOME/.aitop
    test -n "$AITOP_HOME"; and set home $AITOP_HOME
    # Erased, not empty: starship draws the space of an empty one too.
    set -e AITOP_SEG
    set -e AITOP_OK
    set -e AITOP_WARNING
    set -e AITOP_CRITICAL
    set -l file $home/segments/fish
    test -r $file -a -r $home/segments/plain; or return 0
    if builtin -q path
        set -l age (path mtime -R -- $file)
        test "$age" -lt 0 2>/dev/null; or return 0
    else
        true >$home/.now 2>/dev/null; or return 0
        command test $file -nt $home/.now; or return 0
    end
    set -l stamp
    set -l pid
    set -l look
    set -l text
    read -d ' ' stamp pid look <$file
    read -d ' ' stamp pid text <$home/segments/plain
    test -n "$NO_COLOR"; and set look $text
    test -n "$look"; or return 0
    set -gx AITOP_SEG $look
    # The colours show the level; names hold no escapes.
    switch $look
        case '*'\e'[1;31m*'
            set -gx AITOP_CRITICAL $text
        case '*'\e'[33m*'
            set -gx AITOP_WARNING $text
        case '*'
            set -gx AITOP_OK $text
    end
end
