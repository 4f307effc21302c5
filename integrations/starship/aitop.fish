# 2. In ~/.config/fish/config.fish, before `starship init fish | source`:
function __aitop_starship --on-event fish_prompt
    set -l home $HOME/.aitop
    test -n "$AITOP_HOME"; and set home $AITOP_HOME
    set -l name fish
    test -n "$NO_COLOR"; and set name plain
    set -gx AITOP_SEG ''
    set -l file $home/segments/$name
    test -r $file; or return 0
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
    set -gx AITOP_SEG $text
end
