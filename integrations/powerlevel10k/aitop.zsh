# aitop as a powerlevel10k segment. Put it at the end of ~/.zshrc. States: OK, WARNING, CRITICAL; colour them with
# POWERLEVEL9K_AITOP_WARNING_FOREGROUND=… and the like. There is no instant_prompt_aitop on purpose: instant prompt
# replays what was shown when it was recorded, and an old number must never look like a new one.
prompt_aitop() {
  emulate -L zsh
  local home=${AITOP_HOME:-$HOME/.aitop} state=OK stamp='' pid='' look='' text=''
  { true >| $home/.now } 2> /dev/null && [[ $home/segments/zsh -nt $home/.now ]] || return 0
  IFS=' ' read -r stamp pid look 2> /dev/null < $home/segments/zsh || return 0
  IFS=' ' read -r stamp pid text 2> /dev/null < $home/segments/zsh-plain || return 0
  # The colours show the level; a name cannot forge one, since every % of a name is doubled.
  case $look in
    *%B%F{red}*) state=CRITICAL ;;
    %F{yellow}* | *[^%]%F{yellow}*) state=WARNING ;;
  esac
  # The text is already safe for a prompt: nothing in it is expanded.
  p10k segment -s $state -t "$text"
}
typeset -g POWERLEVEL9K_AITOP_FOREGROUND=${POWERLEVEL9K_AITOP_FOREGROUND-66}
typeset -g POWERLEVEL9K_AITOP_WARNING_FOREGROUND=${POWERLEVEL9K_AITOP_WARNING_FOREGROUND-178}
typeset -g POWERLEVEL9K_AITOP_CRITICAL_FOREGROUND=${POWERLEVEL9K_AITOP_CRITICAL_FOREGROUND-160}
typeset -ga POWERLEVEL9K_LEFT_PROMPT_ELEMENTS POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS
if (( ! ${POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS[(Ie)aitop]} && ! ${POWERLEVEL9K_LEFT_PROMPT_ELEMENTS[(Ie)aitop]} )); then
  POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS=(aitop $POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS)
fi
