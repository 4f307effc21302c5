# 3. After `eval "$(oh-my-posh init zsh …)"`:
set_poshcontext() { __aitop_starship; }
