std = "lua54"
max_line_length = 100
exclude_files = { "build", "lua_modules", ".luarocks" }

-- busted's own environment in the specs, where the names are sentences; *.rockspec files have their
-- own by default.
files["spec"] = { std = "+busted", max_line_length = 120 }

-- Annotations for editors: one line for each field, and functions without a body.
files["src/types"] = { max_line_length = false, ignore = { "212", "241" } }
