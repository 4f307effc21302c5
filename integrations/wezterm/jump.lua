-- aitop in wezterm: go to the pane of the session that has waited for you longest. Add this to ~/.wezterm.lua before `return config`.
-- wezterm knows the terminal (tty) of each pane, and ps knows that of the session.
config.keys = config.keys or {}
table.insert(config.keys, {
  key = 'j',
  mods = 'CTRL|SHIFT',
  action = wezterm.action_callback(function()
    local found, said = wezterm.run_child_process { 'sh', '-c', [[ps -o tty= -p "$(@AITOP@ jump next --pid)"]] }
    local tty = found and said:match '%S+'
    for _, window in ipairs(tty and wezterm.mux.all_windows() or {}) do
      for _, tab in ipairs(window:tabs()) do
        for _, pane in ipairs(tab:panes()) do
          if pane:get_tty_name() == '/dev/' .. tty then
            window:gui_window():focus()
            tab:activate()
            pane:activate()
          end
        end
      end
    end
  end),
})
