# 2. In ~/.zshrc:
__aitop_starship() {
  emulate -L zsh
  local home=${AITOP_HOME:-$HOME/.aitop} stamp='' pid='' look='' text=''
  if { true >| $home/.now } 2> /dev/null && [[ $home/segments/fish -nt $home/.now ]]; then
    IFS=' ' read -r stamp pid look 2> /dev/null < $home/segments/fish
    IFS=' ' read -r stamp pid text 2> /dev/null < $home/segments/plain
  fi
  [[ -n ${NO_COLOR-} ]] && look=$text
  # The colours tell the level; names hold no escapes.
  export AITOP_SEG=$look AITOP_OK='' AITOP_WARNING='' AITOP_CRITICAL=''
  case $look in
    *$'\e[1;31m'*) AITOP_CRITICAL=$text ;;
    *$'\e[33m'*) AITOP_WARNING=$text ;;
    *) AITOP_OK=$text ;;
  esac
  return 0
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd __aitop_starship
