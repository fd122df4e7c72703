-- Everything users can name stands in the module's sources, in the annotations for editors and in
-- the reference; and nothing else does.

local WebSocket = require "steadysocket"
local arguments = require "steadysocket.cli.arguments"
local child = require "support.child"
local read = require("support.files").read
local words = require "support.words"

local all, sorted = words.all, words.sorted

local types = read "src/types/steadysocket.lua"
local reference = read "docs/reference.md"

--- The text between a heading and the next one of its kind, or the end.
local function section(heading)
  local from = assert(reference:find("\n" .. heading .. "\n", 1, true), heading)
  local level = heading:match "^#+"
  local to = reference:find("\n#" .. ("#?"):rep(#level - 1) .. " ", from + #heading)
  return reference:sub(from, to)
end

--- The rows of the tables in a text, in order: lists of cells.
local function rows(text)
  local result = {}
  for line in text:gmatch "\n| ([^\n]+)" do
    local cells = {}
    for cell in line:gmatch "%s*([^|]-)%s*|" do cells[#cells + 1] = cell end
    result[#result + 1] = cells
  end
  return result
end

--- The text of an annotated class.
local function class_text(name)
  return "\n" .. assert(types:match("%-%-%-@class steadysocket%." .. name .. "[^\n]*\n(.-)\n\n")
    or types:match("%-%-%-@class steadysocket%." .. name .. "[^\n]*\n(.-)\nlocal "), name)
end

--- The fields of an annotated class.
local function class(name)
  return all(class_text(name), "\n%-%-%-@field ([%w_]+)")
end

--- The first word of an annotation's type, as the reference calls it.
local TYPES = {
  ["steadysocket.Status"] = "string",
  ["steadysocket.Code"] = "string",
  ["steadysocket.AnswerHeaders"] = "table",
}

--- The types of an annotated class's fields, in the reference's words.
local function class_types(name)
  local result = {}
  for field, optional, kind in class_text(name):gmatch "\n%-%-%-@field ([%w_]+)(%??) (%S+)" do
    kind = TYPES[kind] or kind:find '^"' and "string" or kind:find "^table<" and "table" or kind
    result[field] = kind .. (optional == "?" and " or nil" or "")
  end
  return result
end

--- The types in the second column of a text's tables, by the names in the first.
local function told_types(text)
  local result = {}
  for _, cells in ipairs(rows(text)) do
    for name in cells[1]:gmatch "`([%w_.]+)`" do result[name:match "[%w_]+$"] = cells[2] end
  end
  return result
end

--- The rows about an event: a text that begins and ends with a newline.
local function event_rows(name)
  return (section "### Handlers" .. "\n\n"):match("`event` of `on_" .. name .. "`:\n(\n.-\n)\n")
end

--- A function with its arguments, without what says that they are optional.
local function signature(name, list)
  return name .. "(" .. list:gsub("[%[%]]", ""):gsub("%s*,%s*", ", "):gsub("…", "...") .. ")"
end

--- The signatures of a text's functions; the pattern captures name and arguments.
local function signatures(text, pattern)
  local result = {}
  for name, list in text:gmatch(pattern) do result[signature(name, list)] = true end
  return result
end

local function c_source(path)
  return read("src/" .. path)
end

--- The names in a folder, without the extension.
local function modules_in(folder)
  local listing <close> = assert(io.popen(("ls %s/*.lua"):format(folder)))
  return all(listing:read "a", "([%w_]+)%.lua\n")
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
    local list = c_source("lua/methods.c"):match "luaL_Reg methods%[%] = {(.-)};"
    for name in list:gmatch '{"([%w_]+)"' do real[name] = true end
    for name in read("src/steadysocket/tasks.lua"):gmatch "function methods%.([%w_]+)" do
      real[name] = true
    end
    assert.same(sorted(real), sorted(all(section "## Client", "\n| `ws:([%w_]+)")))
    assert.same(sorted(real), sorted(all(types, "\nfunction Client:([%w_]+)")))
  end)

  it("every property", function()
    local real = all(c_source("lua/properties.c"):match "} properties%[%] = {(.-)};", '{"([%w_]+)"')
    assert.same(sorted(real), sorted(all(section "### Properties", "\n| `ws%.([%w_]+)")))
    assert.same(sorted(real), sorted(class "Client"))
  end)

  it("every handler", function()
    local real = all(c_source("lua/handler.c"):match "handler_names%[.-%] = {(.-)};", '"([%w_]+)"')
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
      assert.same(sorted(real), sorted(all(event_rows(heading), "\n| `([%w_]+)`")))
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
      for field in fields:gmatch '\n%s+%u+%("([%w_]+)"' do
        real[group and group .. "." .. field or field] = true
      end
    end
    local special = c_source("lua/special_options.c"):match "const names%[%] = {(.-)};"
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
    local told = section("### Properties"):match "\n| `ws%.status`([^\n]+)"
    assert.same(sorted(real), sorted(all(told, '`"([%w_]+)"`')))
  end)
end)

describe("the reference and the annotations agree about", function()
  for heading, class_name in pairs { ["## Module"] = "WebSocket", ["## Client"] = "Client" } do
    it("the arguments of every function of " .. class_name, function()
      local separator = class_name == "Client" and ":" or "%."
      local prefix = class_name == "Client" and "ws" or class_name
      local told = signatures(section(heading), "`" .. prefix .. separator .. "([%w_]+)(%b())`")
      told["new((options))"] = nil -- an overload
      local annotated = signatures(types, "\nfunction " .. class_name .. separator .. "([%w_]+)(%b())")
      assert.same(sorted(annotated), sorted(told))
    end)
  end

  it("the type of every property", function()
    assert.same(class_types "Client", told_types(section "### Properties"))
  end)

  for event, heading in pairs { OpenEvent = "open", CloseEvent = "close", ErrorEvent = "error" } do
    it("the type of every field of an event: on_" .. heading, function()
      local told = told_types(event_rows(heading))
      told.field = nil
      assert.same(class_types(event), told)
    end)
  end

  it("the type of every counter", function()
    assert.same(class_types "Stats", told_types(section "### Stats"))
  end)

  it("what is kind and what is code", function()
    local text = section "## Codes"
    local kinds, codes = text:match "^(.-)(`code`, the third value.*)"
    kinds, codes = all(kinds, "\n| `([%w_]+)`"), all(codes, "\n| `([%w_]+)`")
    for name in pairs(kinds) do assert.is_nil(codes[name], name) end
    local failing = {}
    for list in section("## Client"):gmatch "fails with ([^|]+)|" do
      for code in list:gmatch "`([%w_]+)`" do failing[code] = true end
    end
    assert.same(sorted(failing), sorted(codes))
  end)
end)

describe("the annotations", function()
  local files = { "src/types/steadysocket.lua" }
  for name in pairs(modules_in "src/types/steadysocket") do
    files[#files + 1] = "src/types/steadysocket/" .. name .. ".lua"
  end

  for _, path in ipairs(files) do
    it("say what each function does and what each argument is: " .. path, function()
      local count = 0
      for paragraph in (read(path) .. "\n"):gmatch "(.-\n)\n" do
        local name, list = ("\n" .. paragraph):match "\nfunction ([%w_.:]+)(%b()) end\n"
        if name then
          count = count + 1
          assert(paragraph:find "^%-%-%- %u", name .. " has no sentence")
          local described = all("\n" .. paragraph, "\n%-%-%-@param ([%w_.]+)%??")
          assert.same(sorted(all(list, "[%w_.]+")), sorted(described), name)
        end
      end
      assert(count > 0)
      assert.equal(select(2, read(path):gsub("\nfunction ", "")), count)
    end)
  end

  it("are what LuaRocks installs for editors", function()
    local rockspec = {}
    assert(loadfile("rockspec/steadysocket-scm-1.rockspec", "t", rockspec))()
    assert.same({ "src/types" }, rockspec.build.copy_directories)
  end)
end)

-- What a default is in the reference, as the value it stands for.
local function value_of(text)
  local number, unit = text:match "^(%d+) ([KM])iB$"
  if number then return tonumber(number) * (unit == "K" and 2^10 or 2^20) end
  text = text:match "^`(.+)`$" or text
  local value = load("return " .. text, "=default", "t", { math = math })
  return value and value()
end

describe("the reference says of each option", function()
  local source = c_source "core/options.c"
  local told = {}
  for _, cells in ipairs(rows(section "## Options")) do
    told[cells[1]:match "`([%w_.]+)`" or cells[1]] = { kind = cells[2], default = cells[3] }
  end

  -- The initializer in C is a table of Lua's but for the dots.
  local function real_defaults()
    local body = source:match "steady_options_init.-%(struct steady_options%)(%b{});"
    local bits = c_source("core/extension.h"):match "WINDOW_BITS_MAX (%d+)"
    return load("return " .. body:gsub("%.([%a_])", "%1"), "=options.c", "t",
      { INFINITY = math.huge, STEADY_WINDOW_BITS_MAX = tonumber(bits) })()
  end

  local function number_of(text)
    local names = { STEADY_MAX_SECONDS = 1e9, MAX_BYTES = 2^48, INFINITY = math.huge,
      STEADY_WINDOW_BITS_MIN = 8, STEADY_WINDOW_BITS_MAX = 15 }
    return names[text] or tonumber(text)
  end

  -- Calls fn with the name, the type, the path in the struct, the minimum and the maximum of each.
  local function each_option(fn)
    local count = 0
    for list, fields in source:gmatch "steady_option ([%w_]+)%[%] = {(.-)\n};" do
      local group = list:match "^([%w_]+)_fields$"
      for kind, name, rest in fields:gmatch '\n%s+(%u+)%("([%w_]+)",%s*(.-)%)' do
        local path, min, max = rest:match "^([%w_.]+),?%s*([%w_.]*),?%s*([%w_.]*)$"
        count = count + 1
        if kind == "STRING" and min == "steady_check_utf8" then kind = "TEXT" end
        if kind == "GROUP" then path = nil end
        if kind == "SWITCH" then kind = "GROUP" end
        local choices = kind == "CHOICE" and source:match(min .. "%[%] = {(.-), NULL}")
        fn(group and group .. "." .. name or name, kind, path, number_of(min), number_of(max), choices)
      end
    end
    return count
  end

  it("its default", function()
    local defaults, checked = real_defaults(), 0
    each_option(function(name, kind, path, _, _, choices)
      local real = path and defaults
      for key in (path or ""):gmatch "[%w_]+" do
        real = real and real[key]
      end
      local text = told[name].default
      if kind == "CHOICE" then
        real = choices:match '^"([%w_.]+)"' -- the first is zero
      elseif kind == "BOOLEAN" then
        real = real or false
      elseif kind == "GROUP" and path then
        real = real == 1
      end
      if real ~= nil then
        checked = checked + 1
        assert.equal(real, value_of(text), name)
      end
    end)
    assert(checked > 25, checked)
  end)

  it("its type and range", function()
    local count = each_option(function(name, kind, path, min, max, choices)
      local text = told[name].kind
      if kind == "NUMBER" or kind == "INTEGER" then
        local from, to = text:match "([%w.^]+) to ([%w.^]+)$"
        assert.equal(kind:lower(), text:match "^%a+", name)
        assert.equal(min, value_of(from or text:match "([%w.^]+) or more$"), name)
        assert.equal(max, to and value_of(to) or math.huge, name)
      elseif kind == "GROUP" then
        assert.equal(path and "boolean or table" or "table", text, name)
      elseif kind == "CHOICE" then
        assert.same(sorted(all(choices, '"([%w_.]+)"')), sorted(all(text, '`"([%w_.]+)"`')))
      else
        local expected = { BOOLEAN = "boolean", STRING = "string", TEXT = "string, UTF-8",
          STRINGS = "string or list of strings" }
        assert.equal(expected[kind], text, name)
      end
    end)
    assert(count > 35, count)
  end)
end)

describe("of the modules for other event loops", function()
  -- As required, with nothing in place of the libraries they are for.
  local function load_adapter(name)
    local env = setmetatable({
      require = function(wanted)
        return wanted:find "^steadysocket" and require(wanted) or {}
      end,
    }, { __index = _G })
    return assert(loadfile("src/steadysocket/" .. name .. ".lua", "t", env))()
  end

  local function arguments_of(fn)
    local list = {}
    for i = 1, debug.getinfo(fn, "u").nparams do list[i] = debug.getlocal(fn, i) end
    return table.concat(list, ", ")
  end

  local adapters = modules_in "src/steadysocket"
  for _, name in ipairs { "init", "loader", "tasks", "cli" } do adapters[name] = nil end

  it("each has annotations and a section of the reference", function()
    assert.same(sorted(adapters), sorted(modules_in "src/types/steadysocket"))
    assert.same(sorted(adapters), sorted(all(reference, "\n### steadysocket%.([%w_]+)\n")))
  end)

  for name in pairs(adapters) do
    it("each function is annotated and told, with its arguments: " .. name, function()
      local real = {}
      for key, value in pairs(load_adapter(name)) do
        real[signature(key, "(" .. arguments_of(value) .. ")")] = true
      end
      local annotations = read("src/types/steadysocket/" .. name .. ".lua")
      assert.equal(1, (annotations:find("---@meta steadysocket." .. name .. "\n", 1, true)))
      assert.match("\nreturn " .. name .. "\n$", annotations)
      assert.same(sorted(real),
        sorted(signatures(annotations, "\nfunction " .. name .. "%.([%w_]+)(%b())")))
      assert.same(sorted(real),
        sorted(signatures(section("### steadysocket." .. name), "\n| `([%w_]+)(%b())`")))
    end)
  end
end)

describe("of the command, the reference has", function()
  local help = arguments.help()
  local source = read "src/steadysocket/cli/arguments.lua"

  -- By the long name: { short, value, default, list }.
  local real = {}
  for short, long, rest in help:gmatch "\n  ([ %-%w,][ %-%w,][ %-%w,] )%-%-([%w-]+)([^\n]*)" do
    local value, text = rest:match "^ (%S.-)  +(.*)$"
    text = text or rest
    real[long] = {
      short = short:match "%-(%w)",
      value = value,
      default = text:match "%((%-?%d+)[;)]",
      list = text:find("; may be repeated", 1, true) ~= nil,
    }
  end

  local told, aliases = {}, {}
  for _, cells in ipairs(rows(section "### Options of the command")) do
    local short = cells[1]:match "^`%-(%w)`"
    local long, value
    for name, takes in cells[1]:gmatch "`%-%-([%w-]+) ?([^`]*)`" do
      if long then
        aliases[name] = long
      else
        long, value = name, takes ~= "" and takes or nil
      end
    end
    if long then
      told[long] = { short = short, value = value, kind = cells[2], default = cells[3] }
    end
  end

  it("every option, and nothing else", function()
    assert.same(sorted(real), sorted(told))
    for name, option in pairs(real) do
      assert.equal(option.short, told[name].short, name)
      assert.equal(option.value, told[name].value, name)
    end
  end)

  it("every further name", function()
    local really = {}
    for alias, name in source:match("ALIASES = (%b{})"):gmatch '%[?"?([%w-]+)"?%]? = "([%w-]+)"' do
      really[alias] = name
    end
    assert(next(really))
    assert.same(really, aliases)
  end)

  it("its type and default", function()
    for name, option in pairs(real) do
      local text = told[name]
      assert.equal(option.value == nil, text.kind == "flag", name)
      assert.equal(option.value == nil, text.default == "off", name)
      assert.equal(option.list, text.kind:find "may be repeated" ~= nil, name)
      assert.equal(option.default, text.default:match "^%-?%d+", name)
      assert.equal(option.value == "SECONDS", text.kind:find "^seconds, " ~= nil, name)
    end
  end)

  it("its least value", function()
    local code = 'os.exit(require("steadysocket.cli").main(arg), true)'
    local count = 0
    for name, option in pairs(told) do
      local least = tonumber(option.kind:match "(%-?[%d.]+) or more$")
      if least then
        count = count + 1
        for value, status in pairs { [least] = 1, [least - 0.0005] = 2 } do
          local result = child.run(code, { "--wait=0", "--max-attempts=1", "ws://127.0.0.1:1/",
            ("--%s=%.14g"):format(name, value) })
          assert.equal(status, result.code, name .. " " .. value .. ": " .. result.err)
        end
      end
    end
    assert.equal(select(2, source:gsub(", number = ", "")), count)
  end)

  it("every exit code", function()
    local codes = all(read("src/steadysocket/cli/session.lua"):match "EXIT = (%b{})", "= (%d+)")
    assert.same(sorted(codes), sorted(all(section "### Exit codes", "\n| (%d+) |")))
    local helped = help:match "\nExit codes:\n(.*)"
    assert.same(sorted(codes), sorted(all(helped, "%f[%d](%d+)%f[^%d]")))
  end)
end)
