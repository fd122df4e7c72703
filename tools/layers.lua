--- Checks how the sources hang together: tools/layers.lua [folder], src by default.
---
--- In src a file includes its own floor and those below it only, and a few libraries and calls belong
--- to few files. Anywhere there is no circle: no file needs another, by an #include or by a function,
--- that needs it on whatever way. Prints each breach, with the line or the way, and fails when there
--- is one. Comments and the contents of strings do not count.

local folder = arg[1] or "src"
local has_floors = os.execute(("test -d '%s/core'"):format(folder)) == true

-- From the ground up.
local FLOORS = { "core", "loop", "dial", "client", "lua" }

-- Who may include a library's headers: patterns of files, without their suffix.
local LIBRARIES = {
  { header = "^libwebsockets%.h$", files = { "^loop/context$", "^loop/watch$" } },
  { header = "^openssl/", files = { "^dial/" } },
  { header = "^uv%.h$", files = { "^loop/", "^dial/" } },
  { header = "^zlib%.h$", files = { "^core/deflate$" } },
  { header = "^lua%l*%.h$", files = { "^lua/" } },
  { header = "^lauxlib%.h$", files = { "^lua/" } },
}

-- Who may call what.
local CALLS = {
  { name = "lws_[%l_]+", files = { "^loop/context$", "^loop/watch$" } },
  { name = "recv", files = { "^dial/stream$" } },
  { name = "send", files = { "^dial/stream$" } },
  { name = "connect", files = { "^dial/race$" } },
  { name = "socket", files = { "^loop/descriptor$" } },
  { name = "pthread_atfork", files = { "^loop/process$" } },
  { name = "SSL_read", files = { "^dial/tls$" } },
  { name = "SSL_write", files = { "^dial/tls$" } },
  { name = "lua_p?callk?", files = { "^lua/call$" } },
  { name = "lua_pcallk?", files = { "^lua/call$" } },
  { name = "lua_resume", files = { "^lua/call$" } },
  { name = "luaL_dostring", files = { "^lua/call$" } },
  { name = "luaL_dofile", files = { "^lua/call$" } },
}

-- The core has libc without a clock, signals and I/O.
local LIBC = {}
for name in ([[arpa/inet assert ctype errno float inttypes limits math stdalign stdarg stdbool stddef
  stdint stdio stdlib stdnoreturn string]]):gmatch "%S+" do
  LIBC[name .. ".h"] = true
end

local breaches = 0

local function breach(where, why)
  breaches = breaches + 1
  print(("%s: %s"):format(where, why))
end

local function any(patterns, text)
  for _, pattern in ipairs(patterns) do
    if text:find(pattern) then return true end
  end
  return false
end

-- The text without comments, and with strings empty, except in #include lines; lines stay lines.
local function code(text)
  text = text:gsub("/%*.-%*/", function(comment) return (comment:gsub("[^\n]", " ")) end)
  local lines = {}
  for line in (text .. "\n"):gmatch "(.-)\n" do
    if not line:find "^%s*#%s*include" then line = line:gsub('\\"', ""):gsub('"[^"]*"', '""') end
    lines[#lines + 1] = line:gsub("//.*", "")
  end
  return lines
end

local function height(floor)
  for i, name in ipairs(FLOORS) do
    if name == floor then return i end
  end
end

local function check_library(where, module, header)
  for _, library in ipairs(LIBRARIES) do
    if header:find(library.header) and not any(library.files, module) then
      breach(where, ("<%s> is not for %s"):format(header, module))
    end
  end
  local known = LIBC[header] or header == "zlib.h"
  if module:find "^core/" and not known then
    breach(where, ("<%s> is no part of libc that core may use"):format(header))
  end
end

local function check_own(where, module, header)
  local floor, other = module:match "^[^/]+", header:match "^([^/]+)/"
  local mine, its = height(floor), other and height(other)
  if mine and not its then
    breach(where, ('"%s" is on no floor'):format(header))
  elseif mine and its > mine then
    breach(where, ("%s is below %s and may not include it"):format(floor, other))
  end
end

local function check_calls(where, module, line)
  for name in line:gmatch "%f[%w_]([%a_][%w_]*)%s*%(" do
    for _, call in ipairs(CALLS) do
      if name:find("^" .. call.name .. "$") and not any(call.files, module) then
        breach(where, ("%s is not for %s to call"):format(name, module))
        break
      end
    end
  end
end

-- A module is a .c and its .h: { needs = { [module] = why }, words = { [identifier] = true } }.
local modules = {}
local defined = {} -- functions that are not static: { [name] = module }

local function module_at(name)
  modules[name] = modules[name] or { needs = {}, words = {} }
  return modules[name]
end

local function check_line(where, name, line)
  local module = module_at(name)
  local kind, header = line:match '^%s*#%s*include%s*([<"])([^>"]+)[>"]'
  if kind == '"' then
    if has_floors then check_own(where, name, header) end
    local other = header:gsub("%.h$", "")
    if not other:find "/" then other = (name:match "^.*/" or "") .. other end
    if other ~= name then module.needs[other] = "#include" end
    return
  elseif kind then
    if has_floors then check_library(where, name, header) end
    return
  end
  if has_floors and not line:find "^%s*#" then check_calls(where, name, line) end
  for word in line:gmatch "[%a_][%w_]*" do module.words[word] = true end
end

-- Definitions begin in the first column, with the name in that line, and are followed by a brace.
local function find_definitions(name, lines)
  for number, line in ipairs(lines) do
    local called = line:match "^[%a_][%w_%s%*]-([%w_]+)%("
    local last = number
    while called and lines[last] and not lines[last]:find "[;{]" do last = last + 1 end
    if called and not line:find "^static" and lines[last] and lines[last]:find "^{" then
      defined[called] = name
    end
  end
end

local function read(path)
  local file = assert(io.open(path))
  local lines = code(file:read "a")
  file:close()
  local name = path:sub(#folder + 2):gsub("%.[ch]$", "")
  for number, line in ipairs(lines) do check_line(("%s:%d"):format(path, number), name, line) end
  if path:find "%.c$" then find_definitions(name, lines) end
end

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

local function add_functions()
  for called, owner in pairs(defined) do
    for name, module in pairs(modules) do
      if name ~= owner and module.words[called] then module.needs[owner] = called end
    end
  end
end

-- Follows what a module needs; `way` is how we came to it. Each circle is told once.
local function find_circles(name, way, seen)
  for i, before in ipairs(way) do
    if before == name then
      local steps = {}
      for j = i, #way do
        local other = way[j + 1] or name
        steps[#steps + 1] = ("%s needs %s (%s)"):format(way[j], other, modules[way[j]].needs[other])
      end
      breach(folder, "a circle: " .. table.concat(steps, ", "))
      return
    end
  end
  if seen[name] then return end
  way[#way + 1] = name
  for _, other in ipairs(sorted_keys(modules[name] and modules[name].needs or {})) do
    find_circles(other, way, seen)
  end
  way[#way] = nil
  seen[name] = true
end

local list = io.popen(("find '%s' -name '*.[ch]' | LC_ALL=C sort"):format(folder))
for path in list:lines() do read(path) end
list:close()
add_functions()
local seen = {}
for _, name in ipairs(sorted_keys(modules)) do find_circles(name, {}, seen) end
os.exit(breaches == 0)
