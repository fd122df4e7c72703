-- busted's own command runs under whichever Lua is called `lua`; this one runs under ours.
require "busted.runner" { standalone = false }
