-- Everything users can name stands in the module's sources, in the annotations for editors and in
-- the reference; and nothing else does.

local WebSocket = require "steadysocket"

local function read(path)
  local file = assert(io.open(path))
  local text = file:read "a"
  file:close()
  return text
end

local types = read "src/types/steadysocket.lua"
local reference = read "docs/reference.md"

local function sorted(names)
  local list = {}
  for name in pairs(names) do list[#list + 1] = name end
  table.sort(list)
  return list
end

--- All first captures of a pattern.
local function all(text, pattern)
  local result = {}
  for name in text:gmatch(pattern) do result[name] = true end
  return result
end

--- The text between a heading and the next one of its kind, or the end.
local function section(heading)
  local from = assert(reference:find("\n" .. heading .. "\n", 1, true), heading)
  local level = heading:match "^#+"
  local to = reference:find("\n#" .. ("#?"):rep(#level - 1) .. " ", from + #heading)
  return reference:sub(from, to)
end

--- The fields of an annotated class.
local function class(name)
  local text = assert(types:match("%-%-%-@class steadysocket%." .. name .. "[^\n]*\n(.-)\n\n")
    or types:match("%-%-%-@class steadysocket%." .. name .. "[^\n]*\n(.-)\nlocal "), name)
  return all("\n" .. text, "\n%-%-%-@field ([%w_]+)")
end

local function c_source(path)
  return read("src/" .. path)
end

describe("the reference and the annotations name", function()
  it("every function of the module", function()
    local real = {}
    for name in pairs(WebSocket) do real[name] = true end
    assert.same(sorted(real), sorted(all(section "## Module", "`WebSocket%.([%w_]+)")))
    local annotated = all(types, "\nfunction WebSocket%.([%w_]+)")
    annotated.version, annotated.libwebsockets = true, true
    assert.same(sorted(real), sorted(annotated))
  end)

  it("every method of a client", function()
    local real = {}
    local list = c_source("lua/client.c"):match "luaL_Reg methods%[%] = {(.-)};"
    for name in list:gmatch '{"([%w_]+)"' do real[name] = true end
    for name in read("src/steadysocket/init.lua"):gmatch "function methods%.([%w_]+)" do
      real[name] = true
    end
    assert.same(sorted(real), sorted(all(section "## Client", "\n| `ws:([%w_]+)")))
    assert.same(sorted(real), sorted(all(types, "\nfunction Client:([%w_]+)")))
  end)

  it("every property", function()
    local real = all(c_source("lua/client.c"):match "} properties%[%] = {(.-)};", '{"([%w_]+)"')
    assert.same(sorted(real), sorted(all(section "### Properties", "\n| `ws%.([%w_]+)")))
    assert.same(sorted(real), sorted(class "Client"))
  end)

  it("every handler", function()
    local real = all(c_source("lua/client.c"):match "const handlers%[.-%] = {(.-)};", '"([%w_]+)"')
    local told = all(section("### Handlers"):match "^(.-)`event` of", "\n| `([%w_]+)")
    assert.same(sorted(real), sorted(told))
    assert.same(sorted(real), sorted(class "Handlers"))
  end)

  for event, heading in pairs { OpenEvent = "open", CloseEvent = "close", ErrorEvent = "error" } do
    it("every field of an event: on_" .. heading, function()
      local source = c_source "lua/event.c"
      local body = assert(source:match("static void push_" .. heading .. "%(.-\n{(.-)\n}"))
      if body:find "set_retry" then
        body = body .. source:match "static void set_retry%(.-\n{(.-)\n}"
      end
      local real = all(body, '"([%w_]+)"[%),]')
      local told = (section "### Handlers" .. "\n\n")
        :match("`event` of `on_" .. heading .. "`:\n(\n.-\n)\n")
      assert.same(sorted(real), sorted(all(told, "\n| `([%w_]+)`")))
      assert.same(sorted(real), sorted(class(event)))
    end)
  end

  it("every counter", function()
    local ws = WebSocket.new "ws://127.0.0.1:1/"
    local real = {}
    for name in pairs(ws:stats()) do real[name] = true end
    local told = {}
    for line in section("### Stats"):gmatch "\n| (`[^|]+)|" do
      for name in line:gmatch "`([%w_]+)`" do told[name] = true end
    end
    assert.same(sorted(real), sorted(told))
    assert.same(sorted(real), sorted(class "Stats"))
  end)

  it("every option", function()
    local real = {}
    local source = c_source "core/options.c"
    for name, fields in source:gmatch "steady_option ([%w_]+)%[%] = {(.-)\n};" do
      local group = name:match "^([%w_]+)_fields$"
      for field in fields:gmatch '\n%s+{"([%w_]+)"' do
        real[group and group .. "." .. field or field] = true
      end
    end
    local special = c_source("lua/options.c"):match "const special%[%] = {(.-)};"
    for name in special:gmatch '"([%w_]+)"' do real[name] = true end
    local handlers = class "Handlers"
    for name in pairs(handlers) do
      assert.is_true(real[name], name .. " is a handler, but no option")
      real[name] = nil
    end
    assert.same(sorted(real), sorted(all(section "## Options", "\n| `([%w_.]+)`")))

    local annotated = {}
    local groups = { Reconnect = true, Heartbeat = true, Queue = true, Inbox = true,
      Compression = true, Tls = true }
    for name in pairs(class "Options") do annotated[name] = true end
    for name in pairs(groups) do
      for field in pairs(class(name)) do annotated[name:lower() .. "." .. field] = true end
    end
    assert.same(sorted(real), sorted(annotated))
  end)

  it("every code", function()
    local real = all(c_source("core/error.c"):match "names%[.-%] = {(.-)};", '"([%w_]+)"')
    assert.same(sorted(real), sorted(all(section "## Codes", "\n| `([%w_]+)`")))
    local annotated = types:match "@alias steadysocket%.Code(.-)\n\n"
    assert.same(sorted(real), sorted(all(annotated, '"([%w_]+)"')))
  end)

  it("every status", function()
    local real = all(c_source("core/session.c"):match "names%[.-%] = {(.-)};", '"([%w_]+)"')
    local annotated = types:match "@alias steadysocket%.Status([^\n]+)"
    assert.same(sorted(real), sorted(all(annotated, '"([%w_]+)"')))
  end)
end)
