# 2. In ~/.bashrc:
__aitop_starship() {
  local home=${AITOP_HOME:-${HOME-}/.aitop} look='' text=''
  if { true >| "$home/.now"; } 2> /dev/null && [ "$home/segments/fish" -nt "$home/.now" ]; then
    IFS=' ' read -r _ _ look 2> /dev/null < "$home/segments/fish" || :
    IFS=' ' read -r _ _ text 2> /dev/null < "$home/segments/plain" || :
  fi
  if [ -n "${NO_COLOR-}" ]; then look=$text; fi
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
# shellcheck disable=SC2034 # starship calls it
starship_precmd_user_func=__aitop_starship
