# 3. After `oh-my-posh init fish … | source`:
function set_poshcontext
    __aitop_starship
end
