--- Checks how C sources hang together: tools/layers.lua [folder], src by default.
---
--- In a folder of floors a file includes its own floor and those below it only, and a few
--- libraries and names belong to few files. In any folder there is no circle: no file needs
--- another, by an #include or by a function or a variable, that needs it on whatever way. A file is
--- a .c and the .h of the same name. Prints each breach with the file, the line and the reason, and
--- fails when there is one. See tools/c_source.lua for what counts.

local c_source = dofile((arg[0]:gsub("[^/]*$", "c_source.lua")))

local folder = (arg[1] or "src"):gsub("(.)/+$", "%1")

-- From the ground up.
local FLOORS = { "core", "loop", "dial", "client", "lua" }

-- What belongs to few files: the headers of a library, and names, to call or to hand on. `headers`
-- and `names` are patterns, separated by blanks; so are `files`, without a suffix: "" is nobody.
-- lua/requirements has no code: it looks at the versions of libraries.
local BELONGINGS = {
  { headers = "libwebsockets[./].*", names = "lws_.*",
    files = "loop/context loop/watch lua/requirements" },
  { headers = "openssl/.*", names = "SSL_.* EVP_.* X509_.* BIO_.*",
    files = "dial/.* lua/requirements" },
  { headers = "uv[./].*", files = "loop/.* dial/.* lua/requirements" },
  { names = "uv_run uv_loop_%l* uv_walk", files = "loop/.*" },
  { headers = "zlib%.h zconf%.h", names = "[di][en]flate [di][en]flate%u.*",
    files = "core/deflate" },
  { headers = ".*lua%l*%.h .*lauxlib%.h", names = "luaL?_.*", files = "lua/.*" },
  { headers = "pthread%.h", names = "pthread_.*", files = "loop/process loop/random dial/.*" },
  { names = "pthread_atfork", files = "loop/process" },
  { names = "lua_p?callk? lua_resume luaL_do%l* luaL_callmeta", files = "lua/call" },
  { names = "SSL_read.* SSL_write.* SSL_peek.*", files = "dial/tls" },
  { names = "recv recvfrom recvmsg send sendto sendmsg", files = "dial/layers" },
  { names = "connect", files = "dial/race" },
  -- What makes a descriptor, which no other program may inherit.
  { names = "socket socketpair pipe2? eventfd epoll_create1? accept4? open openat creat",
    files = "loop/descriptor dial/keylog" },
  { names = "dup[23]?", files = "loop/leave" },
  { names = "fopen freopen", files = "dial/credentials" },
  -- What would hide from this check who calls what, or would run another program.
  { names = "dlsym syscall asm __asm __asm__ fork vfork system popen posix_spawn.*", files = "" },
  -- Core is without I/O, and its results depend on nothing but what it is given.
  { names = "v?[df]?printf f?puts f?putc putchar perror f?getc f?gets fread fwrite v?f?scanf"
      .. " getenv s?rand exit _Exit abort", files = "loop/.* dial/.* client/.* lua/.*" },
}

-- What core has of the system: libc without a clock, signals and files.
local LIBC = {}
for name in ([[arpa/inet assert ctype errno float inttypes limits math stdalign stdarg stdbool
  stddef stdint stdio stdlib stdnoreturn string]]):gmatch "%S+" do
  LIBC[name .. ".h"] = true
end

-- What the other floors have of the system besides.
local SYSTEM = {}
for name in ([[dlfcn fcntl net/if netdb netinet/in netinet/tcp pthread signal strings sys/resource
  sys/socket sys/stat sys/types sys/un time unistd]]):gmatch "%S+" do
  SYSTEM[name .. ".h"] = true
end

-- ---------------------------------------------------------------------------- breaches

local breaches = 0

local function breach(where, why, ...)
  breaches = breaches + 1
  print(("%s: %s"):format(where, why:format(...)))
end

local function any(patterns, text)
  for pattern in (patterns or ""):gmatch "%S+" do
    if text:find("^" .. pattern .. "$") then return true end
  end
  return false
end

-- ---------------------------------------------------------------------------- files

-- { path, name, floor, includes, uses, defined }, where name is the path without folder and suffix.
local files, is_file = {}, {}
local has_floors = false

local function read_files()
  local list = io.popen(("find -L '%s' -name '*.[ch]' | LC_ALL=C sort"):format(folder))
  for path in list:lines() do
    local opened = assert(io.open(path, "rb"))
    local file = c_source.read(opened:read "a")
    opened:close()
    local inside = path:sub(#folder + 2)
    file.path, file.name, file.floor = path, inside:gsub("%.[ch]$", ""), inside:match "^(.-)/"
    is_file[inside] = true
    has_floors = has_floors or file.floor ~= nil
    files[#files + 1] = file
  end
  list:close()
  if #files == 0 then breach(folder, "there is no C source in it") end
end

-- a/./b//../c is a/c.
local function normalize(path)
  local parts = {}
  for part in path:gmatch "[^/]+" do
    if part == ".." and #parts > 0 then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

-- The file of this folder that an #include is of, as the compiler looks for it; nil for another.
local function own_header(file, include)
  local beside = normalize((file.name:match "^.*/" or "") .. include.header)
  if include.quoted and is_file[beside] then return beside end
  local in_folder = normalize(include.header)
  return is_file[in_folder] and in_folder or nil
end

-- ---------------------------------------------------------------------------- floors

local function height(floor)
  for i, name in ipairs(FLOORS) do
    if name == floor then return i end
  end
end

local function check_own(where, file, header)
  local mine, other = height(file.floor), header:match "^(.-)/"
  local its = height(other)
  if mine and its and its > mine then
    breach(where, "%s is below %s and may not include %s", file.floor, other, header)
  end
end

local function check_library(where, file, header)
  local name, is_known = normalize(header), false
  for _, belonging in ipairs(BELONGINGS) do
    if any(belonging.headers, name) then
      is_known = true
      if not any(belonging.files, file.name) then
        breach(where, "<%s> is not for %s", header, file.name)
      end
    end
  end
  if file.floor == "core" and not LIBC[name] and not (is_known and any("zlib%.h", name)) then
    breach(where, "<%s> is no part of libc that core may use", header)
  elseif not (is_known or LIBC[name] or SYSTEM[name]) then
    breach(where, "<%s> is of no library that is known here", header)
  end
end

local function check_uses(file)
  for _, use in ipairs(file.uses) do
    local where = ("%s:%d"):format(file.path, use.line)
    if use.name == "##" then
      breach(where, "## makes names that nobody finds")
    end
    for _, belonging in ipairs(BELONGINGS) do
      if any(belonging.names, use.name) and not any(belonging.files, file.name) then
        breach(where, "%s is not for %s to call", use.name, file.name)
        break
      end
    end
  end
end

-- ---------------------------------------------------------------------------- needs

-- needs[a][b]: why a needs b, and where.
local needs = {}

local function add_need(file, other, line, why)
  needs[file.name] = needs[file.name] or {}
  if other ~= file.name and not needs[file.name][other] then
    needs[file.name][other] = { where = ("%s:%d"):format(file.path, line), why = why }
  end
end

local function check_include(file, include)
  local where = ("%s:%d"):format(file.path, include.line)
  local own = include.header and own_header(file, include)
  if not include.header then
    breach(where, "an #include has to name a header")
  elseif own and not own:find "%.h$" or not own and not include.header:find "%.h$" then
    breach(where, "%s is no header", include.header)
  elseif own then
    if has_floors then check_own(where, file, own) end
    add_need(file, own:gsub("%.h$", ""), include.line, "#include")
  elseif include.quoted then
    breach(where, '"%s" is not in %s', include.header, folder)
  elseif has_floors then
    check_library(where, file, include.header)
  end
end

local told_uses = {} -- each once, by file and name

-- A prototype of one's own takes the place of an #include, but not of the floor.
local function check_height(file, other, use)
  local mine, its = height(file.floor), height(other:match "^(.-)/")
  local key = file.path .. " " .. use.name
  if has_floors and mine and its and its > mine and not told_uses[key] then
    told_uses[key] = true
    breach(("%s:%d"):format(file.path, use.line), "%s is below %s and may not use %s",
      file.floor, other:match "^(.-)/", use.name)
  end
end

-- Whoever uses a name needs all who define it.
local function add_names()
  local definers = {}
  for _, file in ipairs(files) do
    for name in pairs(file.defined) do
      definers[name] = definers[name] or {}
      definers[name][file.name] = true
    end
  end
  for _, file in ipairs(files) do
    for _, use in ipairs(file.uses) do
      local others = definers[use.name]
      for other in pairs(others and not others[file.name] and others or {}) do
        add_need(file, other, use.line, use.name)
        check_height(file, other, use)
      end
    end
  end
end

-- ---------------------------------------------------------------------------- circles

local function sorted_keys(t)
  local keys = {}
  for key in pairs(t or {}) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

-- The shortest way from one file to another, as a list that begins with `from`; nil without one.
local function find_way(from, to)
  local before, list = { [from] = from }, { from }
  for _, name in ipairs(list) do -- which grows meanwhile
    if name == to then
      local way = { to }
      while way[1] ~= from do table.insert(way, 1, before[way[1]]) end
      return way
    end
    for _, other in ipairs(sorted_keys(needs[name])) do
      if not before[other] then
        before[other] = name
        list[#list + 1] = other
      end
    end
  end
end

-- The same circle for each of its files: the first in the alphabet begins.
local function rotate(way)
  local first = 1
  for i, name in ipairs(way) do
    if name < way[first] then first = i end
  end
  local rotated = table.move(way, first, #way, 1, {})
  return table.move(way, 1, first - 1, #rotated + 1, rotated)
end

local function tell_circle(way)
  local steps = {}
  for i, name in ipairs(way) do
    local need = needs[name][way[i % #way + 1]]
    steps[i] = ("%s needs %s (%s, %s)"):format(name, way[i % #way + 1], need.why, need.where)
  end
  breach(needs[way[1]][way[2]].where, "a circle: %s", table.concat(steps, ", "))
end

-- For each need that is part of one, the shortest circle, once.
local function check_circles()
  local told = {}
  for _, name in ipairs(sorted_keys(needs)) do
    for _, other in ipairs(sorted_keys(needs[name])) do
      local way = find_way(other, name)
      if way then
        table.insert(way, 1, table.remove(way))
        way = rotate(way)
        local key = table.concat(way, " ")
        if not told[key] then tell_circle(way) end
        told[key] = true
      end
    end
  end
end

read_files()
for _, file in ipairs(files) do
  for _, include in ipairs(file.includes) do check_include(file, include) end
  if has_floors then
    if not height(file.floor) then
      breach(file.path .. ":1", "%s is on no floor", file.path:sub(#folder + 2))
    end
    check_uses(file)
  end
end
add_names()
check_circles()
os.exit(breaches == 0)
