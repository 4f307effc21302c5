# 2. In ~/.zshrc:
__aitop_starship() {
  emulate -L zsh
  local home=${AITOP_HOME:-$HOME/.aitop} stamp='' pid='' look='' text=''
  if { true >| $home/.now } 2> /dev/null && [[ $home/segments/fish -nt $home/.now ]]; then
    IFS=' ' read -r stamp pid look 2> /dev/null < $home/segments/fish
    IFS=' ' read -r stamp pid text 2> /dev/null < $home/segments/plain
  fi
  [[ -n ${NO_COLOR-} ]] && look=$text
  # Unset, not empty: starship draws the space of an empty one too.
  unset AITOP_SEG AITOP_OK AITOP_WARNING AITOP_CRITICAL
  # The colours show the level; names hold no escapes.
  case $look in
    '') return 0 ;;
    *$'\e[1;31m'*) export AITOP_CRITICAL=$text ;;
    *$'\e[33m'*) export AITOP_WARNING=$text ;;
    *) export AITOP_OK=$text ;;
  esac
  export AITOP_SEG=$look
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd __aitop_starship
