# aitop in the zsh prompt: built-ins only, no process is started. Put it at the end of ~/.zshrc.
# Shows $AITOP_SEGMENT in the right prompt; remove the RPROMPT lines to place it yourself:
# setopt prompt_subst; PROMPT='… ${AITOP_SEGMENT} …'
__aitop_prompt() {
  emulate -L zsh
  local home=${AITOP_HOME:-$HOME/.aitop} name=zsh stamp='' pid='' text=''
  [[ -n ${NO_COLOR-} ]] && name=zsh-plain
  # What stands there while no listener runs: nothing, or your AITOP_OFF='%F{8}aitop off%f'.
  typeset -g AITOP_SEGMENT=${AITOP_OFF-}
  # The segment's time is its expiry, so touching .now tells a fresh one from an old one. A segment with
  # {cost_project} has a file for each folder with a session: that of $PWD, else of the folder above it.
  if { true >| $home/.now } 2> /dev/null && [[ $home/segments/$name -nt $home/.now ]]; then
    local folder=''
    [[ -e $home/segments/$name% ]] && folder=$PWD
    until [[ -z $folder || $home/segments/$name${folder//\//%} -nt $home/.now ]]; do folder=${folder%/*}; done
    IFS=' ' read -r stamp pid text 2> /dev/null < $home/segments/$name${folder//\//%}
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
