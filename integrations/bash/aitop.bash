# aitop in the bash prompt: built-ins only, no process is started. Put it at the end of ~/.bashrc.
# Shows $AITOP_SEGMENT in front of your prompt; remove the PS1 line to place it yourself, by reference:
# PS1='… ${AITOP_SEGMENT} …'
__aitop_prompt() {
  local code=$? home=${AITOP_HOME:-${HOME-}/.aitop} name=bash text=''
  if [ -n "${NO_COLOR-}" ]; then name=bash-plain; fi
  AITOP_SEGMENT=${AITOP_OFF-} # what stands there while no listener runs: nothing, or your AITOP_OFF='aitop off'
  # The segment's time is its expiry, so touching .now tells a fresh one from an old one. A segment with
  # {cost_project} has a file for each folder with a session: that of $PWD, else of the folder above it.
  if { true >| "$home/.now"; } 2> /dev/null && [ "$home/segments/$name" -nt "$home/.now" ]; then
    local folder=''
    if [ -e "$home/segments/$name%" ]; then folder=$PWD; fi
    until [ -z "$folder" ] || [ "$home/segments/$name${folder//\//%}" -nt "$home/.now" ]; do folder=${folder%/*}; done
    IFS=' ' read -r _ _ text 2> /dev/null < "$home/segments/$name${folder//\//%}" || :
    AITOP_SEGMENT=$text
  fi
  return "$code"
}
case ${PROMPT_COMMAND-} in
  *__aitop_prompt*) ;;
  *)
    PROMPT_COMMAND="__aitop_prompt${PROMPT_COMMAND:+;$PROMPT_COMMAND}"
    PS1='${AITOP_SEGMENT:+$AITOP_SEGMENT }'"${PS1-}"
    ;;
esac
