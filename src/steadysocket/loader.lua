--- Loads the core, which is a library in C. Where it cannot be loaded, this raises one message that
--- says what was found, what is needed, and what to do.
--
-- Every Lua that somebody tries reads this file and init.lua, so they have nothing that Lua 5.1
-- does not know.

local NEEDED = "Lua 5.4"

local found = type(jit) == "table" and jit.version or _VERSION -- luacheck: globals jit

if _VERSION ~= NEEDED then
  error(("steadysocket cannot be loaded: this is %s, and steadysocket is built for %s; run the "
    .. "program with %s (on most systems the command is %s)"):format(
    found, NEEDED, NEEDED, (NEEDED:lower():gsub(" ", ""))), 0)
end

----------------------------------------------------------------------------------------------------
-- Why the core cannot be loaded. Each function returns what is wrong and what to do, or nil.

local AGAIN = "build and install steadysocket again on this system"

local MACHINES = { [3] = "x86", [20] = "ppc", [21] = "ppc64", [22] = "s390x", [40] = "arm",
  [62] = "x86_64", [183] = "aarch64", [243] = "riscv", [258] = "loongarch" }

-- Whose functions begin with these.
local OWNERS = { lws = "libwebsockets", uv = "libuv", lua = "this Lua", luaL = "this Lua",
  SSL = "OpenSSL", CRYPTO = "OpenSSL", X509 = "OpenSSL", BIO = "OpenSSL", OPENSSL = "OpenSSL" }

local function read(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read "*a"
  if file then file:close() end
  return bytes or ""
end

-- The machine that an ELF file is for; nil for a file of another kind.
local function machine_of(path)
  local class, order, low, high = read(path):match "^\127ELF([\1\2])([\1\2])............(.)(.)"
  if not class then return nil end
  if order == "\2" then low, high = high, low end
  local machine = high:byte() * 256 + low:byte()
  return ("%s, %d bits"):format(MACHINES[machine] or "machine " .. machine, 32 * class:byte())
end

local function explain_file(path)
  local built_for = read(path):match "steadysocket%.core for (Lua %d+%.%d+)"
  if built_for and built_for ~= _VERSION then
    return ("%s is built for %s, and this is %s"):format(path, built_for, found), AGAIN
  end
  local theirs, ours = machine_of(path), machine_of "/proc/self/exe"
  if theirs and ours and theirs ~= ours then
    return ("%s is built for another machine (%s), and this Lua is for %s"):format(
      path, theirs, ours), AGAIN
  end
end

-- Which other versions of a library the system has: "libwebsockets.so.17"
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

-- reason: what the system's loader says.
local function explain_library(reason)
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

-- Returns the system's own words, too, where there are any.
local function explain(failure)
  local path, reason = failure:match "^error loading module '.-' from file '(.-)':%s*(.*)$"
  if not path then
    return ("its core, steadysocket/core.so, is not where this Lua looks (package.cpath is %s)")
      :format(package.cpath), AGAIN .. ", or set LUA_CPATH to where it is"
  end
  local wrong, advice = explain_file(path)
  if not wrong then wrong, advice = explain_library(reason) end
  return wrong or path .. " is of no use here", advice or AGAIN, reason
end

local loaded, failure = pcall(require, "steadysocket.core")
if not loaded then
  -- What the core itself raises, as when there is no memory, is told as it is.
  if not tostring(failure):find "^[%a ]*module 'steadysocket%.core'" then error(failure, 0) end
  local wrong, advice, reason = explain(failure)
  error(("steadysocket cannot be loaded: %s; %s%s"):format(wrong, advice,
    reason and (" (the system says: %s)"):format(reason) or ""), 0)
end
