# 2. In ~/.bashrc:
__aitop_starship() {
  local home=${AITOP_HOME:-${HOME-}/.aitop} look='' text=''
  if { true >| "$home/.now"; } 2> /dev/null && [ "$home/segments/fish" -nt "$home/.now" ]; then
    IFS=' ' read -r _ _ look 2> /dev/null < "$home/segments/fish" || :
    IFS=' ' read -r _ _ text 2> /dev/null < "$home/segments/plain" || :
  fi
  if [ -n "${NO_COLOR-}" ]; then look=$text; fi
  # The colours tell the level; names hold no escapes.
  export AITOP_SEG=$look AITOP_OK='' AITOP_WARNING='' AITOP_CRITICAL=''
  case $look in
    *$'\e[1;31m'*) AITOP_CRITICAL=$text ;;
    *$'\e[33m'*) AITOP_WARNING=$text ;;
    *) AITOP_OK=$text ;;
  esac
}
# shellcheck disable=SC2034 # starship calls it
starship_precmd_user_func=__aitop_starship
