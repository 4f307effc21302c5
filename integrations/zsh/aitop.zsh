# aitop in the zsh prompt: built-ins only, no process is started. Put it at the end of ~/.zshrc.
# Shows $AITOP_SEGMENT in the right prompt; remove the RPROMPT lines to place it yourself:
# setopt prompt_subst; PROMPT='… ${AITOP_SEGMENT} …'
__aitop_prompt() {
  emulate -L zsh
  local home=${AITOP_HOME:-$HOME/.aitop} name=zsh stamp='' pid='' text=''
  [[ -n ${NO_COLOR-} ]] && name=zsh-plain
  typeset -g AITOP_SEGMENT=''
  # The segment's time is its expiry, so touching .now tells a fresh one from an old one.
  if { true >| $home/.now } 2> /dev/null && [[ $home/segments/$name -nt $home/.now ]]; then
    IFS=' ' read -r stamp pid text 2> /dev/null < $home/segments/$name
    AITOP_SEGMENT=$text
  fi
  return 0
}
autoload -Uz add-zsh-hook
add-zsh-hook precmd __aitop_prompt
setopt prompt_subst
if [[ ${RPROMPT-} != *AITOP_SEGMENT* ]]; then
  RPROMPT='${AITOP_SEGMENT-}'${RPROMPT:+ $RPROMPT}
fi
