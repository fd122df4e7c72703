--- Loads the core, which is a library in C. When the core cannot be loaded, this file raises an
--- error that says what was found, what is needed, and what to do.
--
-- Every file of this module requires this file first, and any version of Lua may read it. So no
-- file has syntax that Lua 5.1 does not know, and no code in front of the check of the version
-- calls a function that Lua 5.1 lacks.

local NAME = "steadysocket.core"
local ENTRY = "luaopen_steadysocket_core"
local NEEDED = "Lua 5.4"

-- A program may have removed these globals, or may raise an error when a missing global is read.
local io, jit = rawget(_G, "io") or {}, rawget(_G, "jit")

local found = type(jit) == "table" and jit.version or _VERSION

-- Removes marks from package.loaded. Lua 5.1 marks a module while it is being loaded, leaves the
-- mark when loading fails, and says no more than "loop or previous error" when the module is
-- required again. The mark is userdata; in some versions of LuaJIT it has the type of a number.
local function remove_marks()
  for name, value in pairs(package.loaded) do
    local is_ours = (tostring(name) .. "."):find "^steadysocket%."
    if is_ours and type(value) ~= "table" then package.loaded[name] = nil end
  end
end

if _VERSION ~= NEEDED then
  remove_marks()
  error(("steadysocket cannot be loaded: this is %s, and steadysocket is built for %s; run the "
    .. "program with %s (on most systems the command is %s)"):format(
    found, NEEDED, NEEDED, (NEEDED:lower():gsub(" ", ""))), 0)
end

----------------------------------------------------------------------------------------------------
-- The reasons why the core cannot be loaded. Each function returns what is wrong and what to do, or
-- nil.

local AGAIN = "build and install steadysocket again on this system"
local DESCRIPTORS = "close some files, or allow more of them (ulimit -n)"

local MACHINES = { [3] = "x86", [20] = "ppc", [21] = "ppc64", [22] = "s390x", [40] = "arm",
  [62] = "x86_64", [183] = "aarch64", [243] = "riscv", [258] = "loongarch" }

-- The libraries, by the prefixes of their functions.
local OWNERS = { lws = "libwebsockets", uv = "libuv", lua = "this Lua", luaL = "this Lua",
  SSL = "OpenSSL", CRYPTO = "OpenSSL", X509 = "OpenSSL", BIO = "OpenSSL", OPENSSL = "OpenSSL" }

-- Numbers of errors, which are the same on all systems we know. The numbers in ABSENT mean that
-- there is no such file or folder, or that a file is in the place of a folder. Those in TOO_MANY
-- mean that too many files are open, in the system or in this process.
local ABSENT = { [2] = true, [20] = true }
local TOO_MANY = { [23] = DESCRIPTORS, [24] = DESCRIPTORS }

-- Returns at most `limit` bytes of a file, or an empty text when it cannot be read.
local function read(path, limit)
  local file = io.open and io.open(path, "rb")
  local bytes = file and file:read(limit)
  if file then file:close() end
  return bytes or ""
end

-- The positions of the fields in the header of an ELF file, for its two classes: 32 bits and 64
-- bits.
local HEADERS = {
  { size = 52, address = "I4", sections_at = 33, section_sizes_at = 47 },
  { size = 64, address = "I8", sections_at = 41, section_sizes_at = 59 },
}

-- Returns the layout of an ELF file's header and its byte order, or nil for a file of another kind.
local function elf(bytes)
  local class, order = bytes:match "^\127ELF([\1\2])([\1\2])"
  if class then return HEADERS[class:byte()], order == "\1" and "<" or ">" end
end

-- Returns the machine that an ELF file is for, or nil for a file of another kind.
local function machine_of(path)
  local bytes = read(path, 64)
  local header, order = elf(bytes)
  if not header or #bytes < header.size then return nil end
  local machine = (order .. "I2"):unpack(bytes, 19)
  return ("%s, %d bits"):format(MACHINES[machine] or "machine " .. machine,
    header.size == 64 and 64 or 32)
end

-- Returns how many bytes an ELF file has at least when it is complete: up to the end of the table
-- of its sections, which is at the end of the file.
local function complete_size(bytes)
  local header, order = elf(bytes)
  if not header then return 0 end
  if #bytes < header.size then return header.size end
  local start = (order .. header.address):unpack(bytes, header.sections_at)
  local size, count = (order .. "I2I2"):unpack(bytes, header.section_sizes_at)
  return math.max(header.size, start + size * count)
end

-- Explains that a library is cut off, if it is. This has to be done before the library is loaded.
-- The system maps the library into memory, and ends the process with SIGBUS when it reads behind
-- the end of the file.
local function explain_size(path)
  local file = io.open and io.open(path, "rb")
  if not file then return nil end
  local expected = complete_size(file:read(64) or "")
  local size = file:seek "end"
  file:close()
  if size and size < expected then
    return ("%s is cut off: it has %d bytes, and at least %d are expected"):format(path, size,
      expected), AGAIN
  end
end

-- Explains why Lua has found no core. Lua skips a file that is there but cannot be opened, as if
-- the file was not there.
local function explain_places()
  for place in package.cpath:gmatch "[^;]+" do
    local path = place:gsub("%?", (NAME:gsub("%.", "/")))
    local file, problem, errno
    if io.open then file, problem, errno = io.open(path, "rb") end
    if file then file:close() end
    if problem and not ABSENT[errno] then
      return "its core cannot be opened: " .. problem, TOO_MANY[errno]
        or "let this user read that file and enter its folders"
    end
  end
  return ("its core, steadysocket/core.so, is not where this Lua looks (package.cpath is %s)")
    :format(package.cpath), AGAIN .. ", or set LUA_CPATH to where it is"
end

local function explain_file(path)
  local built_for = read(path, "*a"):match "steadysocket%.core for (Lua %d+%.%d+)"
  if built_for and built_for ~= _VERSION then
    return ("%s is built for %s, and this is %s"):format(path, built_for, found), AGAIN
  end
  local theirs, ours = machine_of(path), machine_of "/proc/self/exe"
  if theirs and ours and theirs ~= ours then
    return ("%s is built for another machine (%s), and this Lua is for %s"):format(
      path, theirs, ours), AGAIN
  end
end

-- Returns the other versions of a library that the system has, such as "only libwebsockets.so.17".
local function others_of(library)
  local name, list = library:match "^[^.]+", {}
  local may_ask, pipe = pcall(io.popen, "PATH=$PATH:/sbin ldconfig -p 2>/dev/null")
  if not may_ask then return "another one" end
  for line in pipe:lines() do
    local other = line:match "^%s*(%S+)"
    if other and other:find "%.so%.%d" and other:match "^[^.]+" == name then
      list[#list + 1] = other
    end
  end
  pipe:close()
  return #list > 0 and "only " .. table.concat(list, " and ") or "no version of it"
end

-- Explains why the system's loader has refused the core. `reason` is the loader's text.
local function explain_library(reason)
  if reason:find "Too many open files" then
    return "a library that it needs cannot be opened", DESCRIPTORS
  end
  local library = reason:match "(lib[%w_.+-]+): cannot open shared object file: No such file"
    or reason:match "Error loading shared library (lib[%w_.+-]+): No such file" -- musl
  if library then
    return ("it was built with %s, and this system has %s"):format(library, others_of(library)),
      "install that version of the library, or " .. AGAIN
  end
  local where, version = reason:match "(%S+): version [`'](.-)' not found"
  if version then
    return ("%s is older than what it was built with, and lacks %s"):format(where, version),
      "update that library, or " .. AGAIN
  end
  local symbol = reason:match "undefined symbol: ([%w_]+)"
    or reason:match "([%w_]+): symbol not found" -- musl
  if symbol then
    local owner = OWNERS[symbol:match "^(%a%w*)_"] or "a library on this system"
    return ("%s is another version than it was built with, and lacks %s"):format(owner, symbol),
      "install the version with which it was built, or " .. AGAIN
  end
end

-- Returns what is wrong and what to do, and in addition the text of the system, if there is one.
local function explain(failure)
  local path, reason = failure:match "^error loading module '.-' from file '(.-)':%s*(.*)$"
  if not path then return explain_places() end
  if reason:find("undefined symbol: " .. ENTRY, 1, true)
    or reason:find(ENTRY .. ": symbol not found", 1, true) then -- musl
    return path .. " is not the core of steadysocket", "remove it or set LUA_CPATH, or " .. AGAIN,
      reason
  end
  local wrong, advice = explain_file(path)
  if not wrong then wrong, advice = explain_library(reason) end
  return wrong or path .. " is of no use here", advice or AGAIN, reason
end

local function fail(wrong, advice, reason)
  error(("steadysocket cannot be loaded: %s; %s%s"):format(wrong, advice,
    reason and (" (the system says: %s)"):format(reason) or ""), 0)
end

if not package.loaded[NAME] and not package.preload[NAME] then
  local path = package.searchpath(NAME, package.cpath)
  local wrong, advice = explain_size(path or "")
  if wrong then fail(wrong, advice) end
end

local loaded, failure = pcall(require, NAME)
if not loaded then
  -- An error that the core itself raises, for example without memory, is raised unchanged.
  if not tostring(failure):find "^[%a ]*module 'steadysocket%.core'" then error(failure, 0) end
  fail(explain(failure))
end
