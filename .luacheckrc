std = "lua54"
max_line_length = 100
exclude_files = { "build", "lua_modules", ".luarocks" }

-- busted's own environment in the specs; *.rockspec files have their own by default.
files["spec"] = { std = "+busted" }

-- Annotations only: functions without a body.
files["src/types"] = { ignore = { "212" } }
