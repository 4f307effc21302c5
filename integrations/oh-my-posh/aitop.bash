# 3. After `eval "$(oh-my-posh init bash …)"`:
set_poshcontext() { __aitop_starship; }
