-- What is told where the module cannot be loaded, or cannot do without something that is missing: one
-- message that says what was found, what is needed, and what to do.

local child = require "support.child"
local files = require "support.files"
local preload = require "support.preload"

local CORE = package.searchpath("steadysocket.core", package.cpath)

-- All that are files of Lua, by their names.
local MODULES = {}
do
  local pipe <close> = assert(io.popen "cd src && find steadysocket -name '*.lua' | sort")
  for path in pipe:lines() do
    MODULES[#MODULES + 1] = path:gsub("%.lua$", ""):gsub("/init$", ""):gsub("/", ".")
  end
end

-- By their commands, and what each calls itself.
local OTHERS = { ["lua5.1"] = "Lua 5%.1", ["lua5.2"] = "Lua 5%.2", ["lua5.3"] = "Lua 5%.3",
  ["lua5.5"] = "Lua 5%.5", luajit = "LuaJIT 2%.%S+" }

local function is_one_line(text, pattern)
  assert.truthy(text:find("^" .. pattern .. "\n?$"), text)
  assert.is_nil(text:gsub("\n$", ""):find "\n", text)
end

local LOAD = [[
  local cpath, name = ...
  package.cpath = cpath
  local loaded, problem = pcall(require, name)
  io.write(loaded and "loaded" or tostring(problem))
]]

-- What loading says, with the core in another folder than this process's.
local function load_from(folder, name, options)
  local result = child.run(LOAD, { folder .. "/?.so", name or "steadysocket" }, options)
  assert.same({ "", 0 }, { result.err, result.code })
  return result.out
end

-- What loading says of a core in which some bytes are others.
local function load_changed(change)
  local pipe <close> = assert(io.popen "mktemp -d")
  local folder = pipe:read "l"
  assert(os.execute("mkdir " .. folder .. "/steadysocket"))
  local path = folder .. "/steadysocket/core.so"
  files.write(path, change(files.read(CORE)))
  local text = load_from(folder)
  os.execute("rm -r " .. folder)
  return (text:gsub("%p" .. folder:sub(2):gsub("%p", "%%%0"), ""))
end

-- Puts one text of the same length in the place of another, wherever that stands.
local function exchange(bytes, old, new)
  local changed, count = bytes:gsub(old:gsub("%p", "%%%0"), (new:gsub("%%", "%%%%")))
  assert(count > 0 and #old == #new, old)
  return changed
end

describe("the Lua that is needed", function()
  it("is the one of src/lua/requirements.c", function()
    local major, minor = files.read "src/lua/requirements.c":match "LUA_VERSION_NUM == (%d)0(%d)"
    assert.equal(("Lua %s.%s"):format(major, minor),
      files.read "src/steadysocket/loader.lua":match '\nlocal NEEDED = "(.-)"')
  end)
end)

describe("a program that raises when a missing global is read", function()
  it("loads each module", function()
    local result = child.run [[
      setmetatable(_G, { __index = function(_, name) error("global " .. name) end,
        __newindex = function(_, name) error("global " .. name) end })
      for name in ("steadysocket steadysocket.tasks steadysocket.cli"):gmatch "%S+" do require(name) end
      local called = false
      local WebSocket = require "steadysocket"
      WebSocket.after(0, function() called = true end)
      WebSocket.run()
      io.write(tostring(called))
    ]]
    assert.same({ out = "true", err = "", code = 0 }, result)
  end)
end)

describe("in another Lua", function()
  for command, name in pairs(OTHERS) do
    it(command .. " each module says which Lua it is built for", function()
      if not child.has(command) then return pending(command .. " is not installed") end
      for _, module in ipairs(MODULES) do
        is_one_line(load_from("build", module, { interpreter = command }),
          "steadysocket cannot be loaded: this is " .. name .. ", and steadysocket is built for "
          .. "Lua 5%.4; run the program with Lua 5%.4 %(on most systems the command is lua5%.4%)")
      end
    end)

    it(command .. " each says so however often it is required", function()
      if not child.has(command) then return pending(command .. " is not installed") end
      local result = child.run([[
        for _, name in ipairs { ... } do
          local _, first = pcall(require, name)
          local _, second = pcall(require, name)
          io.write(name, ": ", tostring(first == second and first:find "cannot be loaded: this is " ~= nil), "\n")
        end
      ]], MODULES, { interpreter = command })
      assert.same({ table.concat(MODULES, ": true\n") .. ": true\n", "" }, { result.out, result.err })
    end)

    it(command .. " the command says so, too", function()
      if not child.has(command) then return pending(command .. " is not installed") end
      local result = child.run('dofile "bin/steadysocket"', {}, { interpreter = command })
      assert.equal(1, result.code)
      is_one_line(result.err, "steadysocket cannot be loaded: this is " .. name .. ", and .*")
    end)
  end
end)

describe("a core", function()
  local function is_linux()
    return files.read(CORE):sub(1, 4) == "\127ELF" or pending "this is not Linux"
  end

  it("that is nowhere is told with the places", function()
    is_one_line(load_from "/nowhere", "steadysocket cannot be loaded: its core, steadysocket/core%.so, "
      .. "is not where this Lua looks %(package%.cpath is /nowhere/%?%.so%); build and install "
      .. "steadysocket again on this system, or set LUA_CPATH to where it is")
  end)

  it("that is nowhere is told so by each module", function()
    for _, module in ipairs(MODULES) do
      is_one_line(load_from("/nowhere", module), "steadysocket cannot be loaded: its core, .* is not where .*")
    end
  end)

  it("that is nowhere, or broken, is told to a program without io and os, too", function()
    local code = [[
      local write = io.write
      package.cpath = ...
      io, os = nil, nil
      write(select(2, pcall(require, "steadysocket")))
    ]]
    is_one_line(child.run(code, { "/nowhere/?.so" }).out, "steadysocket cannot be loaded: its core, .* is not where .*")
    is_one_line(child.run(code, { "/dev/null" }).out, "steadysocket cannot be loaded: /dev/null is of no use here; .*")
  end)

  it("that is there but cannot be opened is told with the reason", function()
    local pipe <close> = assert(io.popen "mktemp -d")
    local folder = pipe:read "l"
    assert(os.execute(("mkdir %s/steadysocket && ln -s core.so %s/steadysocket/core.so"):format(folder, folder)))
    local text = load_from(folder)
    os.execute("rm -r " .. folder)
    is_one_line(text, "steadysocket cannot be loaded: its core cannot be opened: " .. folder:gsub("%p", "%%%0")
      .. "/steadysocket/core%.so: [^;]*symbolic links; let this user read .*")
  end)

  it("for which no descriptor is left is told so, and what raises the limit", function()
    for spare = 0, 3 do
      local result = child.run([[
        local spare, held = tonumber((...)), {}
        local loader = assert(loadfile(package.searchpath("steadysocket.loader", package.path)))
        repeat
          local file = io.open "/dev/null"
          held[#held + 1] = file
        until not file
        for _ = 1, spare do table.remove(held):close() end
        local loaded, problem = pcall(loader)
        io.write(loaded and "loaded" or problem)
      ]], { tostring(spare) }, { under = [[sh -c 'ulimit -n 32; exec "$@"' sh]] })
      if spare > 0 and result.out == "loaded" then return end
      is_one_line(result.out, "steadysocket cannot be loaded: .*; close some files, or allow more of them "
        .. "%(ulimit %-n%).*")
    end
  end)

  it("that is cut off is told with its size before it is loaded, which could end the process", function()
    if not is_linux() then return end
    local size = #files.read(CORE)
    for _, left in ipairs { 16, 63, 4096, size // 2, size - 1 } do
      is_one_line(load_changed(function(bytes) return bytes:sub(1, left) end),
        "steadysocket cannot be loaded: %S+ is cut off: it has " .. left .. " bytes, and at least %d+ are "
        .. "expected; build .*")
    end
  end)

  it("of other bits or another order of bytes is measured, too", function()
    for name, header in pairs { [">4"] = ">I4I4I4I4I4I2I2I2I2I2I2", ["<4"] = "<I4I4I4I4I4I2I2I2I2I2I2",
      [">8"] = ">I4I8I8I8I4I2I2I2I2I2I2" } do
      local bytes = "\127ELF" .. (name:find "4" and "\1" or "\2") .. (name:find ">" and "\2" or "\1")
        .. ("\0"):rep(10) .. (header:sub(1, 1) .. "I2I2"):pack(3, 22)
        .. header:pack(1, 0, 0, 5000, 0, 0, 0, 0, 40, 10, 0)
      is_one_line(load_changed(function() return bytes end),
        "steadysocket cannot be loaded: %S+ is cut off: it has " .. #bytes .. " bytes, and at least 5400 are .*")
    end
  end)

  it("that is another module's is told so", function()
    if not is_linux() then return end
    local text = load_changed(function(bytes)
      return exchange(bytes, "\0luaopen_steadysocket_core\0", "\0luaopen_steadysocket_corX\0")
    end)
    is_one_line(text, "steadysocket cannot be loaded: %S+ is not the core of steadysocket; remove it .*")
  end)

  it("that needs a library which has gone is told with the library, and with those that are there", function()
    if not is_linux() then return end
    local needed
    local text = load_changed(function(bytes)
      local name, number = bytes:match "\0(libwebsockets%.so%.)(%d+)\0"
      needed = name .. ("9"):rep(#number)
      return exchange(bytes, name .. number, needed)
    end)
    is_one_line(text, "steadysocket cannot be loaded: it was built with " .. needed:gsub("%p", "%%%0")
      .. ", and this system has .*; install that version of the library, or build .*")
  end)

  it("that needs a function which a library lacks is told with both", function()
    if not is_linux() then return end
    for library, name in pairs { libwebsockets = "lws_create_context", libuv = "uv_loop_init",
      OpenSSL = "SSL_CTX_new" } do
      local lacking = name:gsub(".$", "X")
      local text = load_changed(function(bytes)
        return exchange(bytes, "\0" .. name .. "\0", "\0" .. lacking .. "\0")
      end)
      is_one_line(text, "steadysocket cannot be loaded: " .. library .. " is another version than it "
        .. "was built with, and lacks " .. lacking .. "; install the version .*")
    end
  end)

  it("that needs a later version of a library is told with the library", function()
    if not is_linux() then return end
    local text = load_changed(function(bytes)
      return exchange(bytes, "\0OPENSSL_3.0.0\0", "\0OPENSSL_9.0.0\0")
    end)
    is_one_line(text, "steadysocket cannot be loaded: %S+ is older than what it was built with, and lacks "
      .. "OPENSSL_9%.0%.0; update that library, or build .*")
  end)

  it("that is built for another Lua is told so", function()
    if not is_linux() then return end
    local text = load_changed(function(bytes)
      bytes = exchange(bytes, "steadysocket.core for Lua 5.4", "steadysocket.core for Lua 5.3")
      return exchange(bytes, "\0lua_newuserdatauv\0", "\0lua_newuserdataXX\0")
    end)
    is_one_line(text, "steadysocket cannot be loaded: %S+ is built for Lua 5%.3, and this is Lua 5%.4; "
      .. "build .*")
  end)

  it("that is built for another machine is told with both", function()
    if not is_linux() then return end
    local ours = files.read(CORE):byte(19) == 22 and "62" or "22"
    local text = load_changed(function(bytes)
      local order = bytes:byte(6) == 1 and "<I2" or ">I2"
      return bytes:sub(1, 18) .. order:pack(tonumber(ours)) .. bytes:sub(21)
    end)
    is_one_line(text, "steadysocket cannot be loaded: %S+ is built for another machine %([^()]+ bits%), and "
      .. "this Lua is for [^;]+ bits; build .*")
  end)

  it("that is no library at all is told with what the system says", function()
    is_one_line(load_changed(function() return "" end),
      "steadysocket cannot be loaded: %S+ is of no use here; build .* %(the system says: .*%)")
  end)
end)

describe("without libwebsockets' plug-in for libuv", function()
  teardown(preload.remove_all)

  local function run(code, arguments)
    local environment = preload.environment "without_plugin"
    if not environment then return pending "no shim can be made here" end
    -- The library leaks the names among which it did not find the plug-in.
    return child.run(code, arguments, { environment = environment .. " ASAN_OPTIONS=detect_leaks=0" })
  end

  local WHICH = "connect: libwebsockets cannot use libuv, .*plug%-in.* libwebsockets%-evlib%-uv .*"

  it("connect raises, and names the package", function()
    local result = run [[
      local WebSocket = require "steadysocket"
      io.write(select(2, pcall(function() WebSocket.new("ws://127.0.0.1:1"):connect() end)))
    ]]
    if result then is_one_line(result.out, ".*" .. WHICH) end
  end)

  it("the command says so in one line, and ends with 1", function()
    local result = run([[dofile "bin/steadysocket"]], { "ws://127.0.0.1:1" })
    if not result then return end
    assert.same({ 1, "" }, { result.code, result.out })
    is_one_line(result.err, "steadysocket: " .. WHICH)
  end)
end)

describe("the command", function()
  it("says in one line that too few descriptors are left, wherever they end", function()
    local told = {}
    for limit = 8, 24, 2 do
      local result = child.run([[dofile "bin/steadysocket"]], { "--no-reconnect", "ws://127.0.0.1:1" },
        { under = ("sh -c 'ulimit -n %d; exec \"$@\"' sh"):format(limit) })
      assert.same({ 1, "" }, { result.code, result.out })
      is_one_line(result.err, "steadysocket: .*")
      if result.err:find "too many open files; allow more of them %(ulimit %-n%)" then
        told[#told + 1] = limit
      end
    end
    assert.is_true(#told > 0)
  end)

  it("says in one line that its core is missing", function()
    local result = child.run([[package.cpath = "/nowhere/?.so" dofile "bin/steadysocket"]])
    assert.equal(1, result.code)
    is_one_line(result.err, "steadysocket cannot be loaded: its core, .*")
  end)

  it("says in one line that its modules are missing", function()
    local result = child.run([[package.path = "/nowhere/?.lua" dofile "bin/steadysocket"]])
    assert.equal(1, result.code)
    is_one_line(result.err, "steadysocket cannot be loaded: its modules are not where Lua 5%.4 looks .*")
  end)
end)
