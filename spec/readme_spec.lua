-- README.md: its programs run, what it names is there, its tables say what the reference says, and
-- README.zh-CN.md says the same in Chinese. docs/README.md names every page. (Where links lead:
-- docs_spec.lua.)

local Server = require "support.server"
local child = require "support.child"
local read = require("support.files").read
local words = require "support.words"

local all, sorted = words.all, words.sorted

local function exists(path)
  return (os.rename(path, path)) ~= nil
end

--------------------------------------------------------------------------------------------------
-- Markdown

-- What a line begins: a kind of block, and what is behind its mark.
local function begins(line, inside)
  if line:find "^#+ " then return "heading " .. #line:match "^#+", line:match "^#+ (.*)" end
  if line:find "^|" then return "row", line end
  if line:find "^%- " then return "item", line:sub(3) end
  if line:find "^    " and inside ~= "paragraph" and inside ~= "item" then return "code", line:sub(5) end
end

-- The blocks of a page: { kind, text, line }, with kind "heading 2", "code lua" (empty behind code
-- for an indented one), "row", "item" or "paragraph".
local function blocks_of(path)
  local blocks, block, fence, number = {}, nil, nil, 0
  local function add(kind, text)
    block = { kind = kind, text = text, line = number }
    blocks[#blocks + 1] = block
  end
  for line in io.lines(path) do
    number = number + 1
    local kind, text = begins(line, block and block.kind)
    if fence then
      if line == "```" then
        fence, block = false, nil
      else
        block.text = block.text .. line .. "\n"
      end
    elseif line:find "^```" then
      fence = true
      add("code " .. line:sub(4), "")
    elseif line == "" then
      block = nil
    elseif kind == "code" and block and block.kind == "code" then
      block.text = block.text .. text .. "\n"
    elseif kind then
      add(kind, kind == "code" and text .. "\n" or text)
      if kind:find "heading" or kind == "row" then block = nil end
    elseif block and (block.kind == "paragraph" or block.kind == "item") then
      block.text = block.text .. "\n" .. line
    else
      add("paragraph", line)
    end
  end
  return blocks
end

local function cells_of(row)
  local cells = {}
  for cell in row:gmatch "|%s*([^|]-)%s*%f[|]" do cells[#cells + 1] = cell end
  return cells
end

-- What a text holds that is the same in every language.
local function essence(text)
  local plain, links = text:gsub("`[^`]*`", " "), {}
  for link in plain:gmatch "%]%(([^)]*)%)" do links[#links + 1] = link end
  plain = plain:gsub("%]%([^)]*%)", "]")
  local numbers = {}
  for number in plain:gmatch "%d[%d.]*" do numbers[#numbers + 1] = number:gsub("%.$", "") end
  table.sort(links)
  table.sort(numbers)
  return { code = sorted(all(text, "`([^`]*)`")), links = links, numbers = numbers }
end

-- A page as what has to be the same in another language.
local function skeleton(path)
  local result = {}
  for i, block in ipairs(blocks_of(path)) do
    if block.kind:find "^code" then
      result[i] = { block.kind, block.text }
    elseif block.kind == "row" then
      local cells = cells_of(block.text)
      for j, cell in ipairs(cells) do cells[j] = essence(cell) end
      result[i] = { block.kind, cells }
    else
      result[i] = { block.kind, essence(block.text) }
    end
  end
  return result
end

--- The text from a heading to the next one of its level or above, or the end.
local function section(text, heading)
  text = "\n" .. text
  local from = assert(text:find("\n" .. heading .. "\n", 1, true), heading)
  local to = text:find("\n#" .. ("#?"):rep(#heading:match "^#+" - 1) .. " ", from + #heading)
  return text:sub(from, to)
end

-- The rows of a text's tables, without their heads.
local function rows(text)
  local result, previous = {}, nil
  for line in text:gmatch "[^\n]+" do
    if line:find "^|[-|]+$" then
      previous = nil -- it was the head
    else
      if previous then result[#result + 1] = cells_of(previous) end
      previous = line:find "^|" and line
    end
  end
  if previous then result[#result + 1] = cells_of(previous) end
  return result
end

--- The first captures of a pattern in the first cells of a text's tables.
local function first_cells(text, pattern)
  local result = {}
  for _, cells in ipairs(rows(text)) do
    for name in cells[1]:gmatch(pattern) do result[name] = true end
  end
  return result
end

local readme = read "README.md"
local reference = read "docs/reference.md"

--------------------------------------------------------------------------------------------------

describe("README.zh-CN.md", function()
  local LANGUAGES = 3 -- the block with the link to the other language: behind the title

  it("is linked from README.md, and links back, near the top", function()
    local here, there = blocks_of "README.md", blocks_of "README.zh-CN.md"
    local found
    for i = 1, LANGUAGES do
      found = found or here[i].text:find("](README.zh-CN.md)", 1, true)
        and there[i].text:find("](README.md)", 1, true)
    end
    assert(found)
  end)

  it("has the blocks of README.md: code, headings, rows, links, numbers", function()
    local here, there = skeleton "README.md", skeleton "README.zh-CN.md"
    local lines, lines_there = blocks_of "README.md", blocks_of "README.zh-CN.md"
    for i = 1, math.max(#here, #there) do
      if i <= LANGUAGES then
        for _, links in ipairs { here[i][2].links, there[i][2].links } do
          for j, link in ipairs(links) do
            links[j] = (link == "README.md" or link == "README.zh-CN.md") and "the other" or link
          end
        end
      end
      assert.same(here[i], there[i], ("README.md, line %s; README.zh-CN.md, line %s"):format(
        lines[i] and lines[i].line or "none", lines_there[i] and lines_there[i].line or "none"))
    end
  end)

  it("is in Chinese, but for its code", function()
    for _, block in ipairs(blocks_of "README.zh-CN.md") do
      if block.kind == "paragraph" or block.kind == "item" then
        local prose = block.text:gsub("`[^`]*`", ""):gsub("%b[]%b()", "")
        assert(prose:find "[\xE4-\xE9][\x80-\xBF][\x80-\xBF]" or not prose:find "%l%l",
          "line " .. block.line)
      end
    end
  end)
end)

describe("a program in README.md", function()
  local URL = "wss://example.com/feed"

  -- Before each: what is printed is looked at, to know when it is enough.
  -- The program has nothing of this but `print`.
  local PRELUDE = [[
    local print = print
    do
    local WebSocket = require "steadysocket"
    local client
    local new, print_out = WebSocket.new, print
    function WebSocket.new(...)
      client = new(...)
      return client
    end
    local count, last, reconnect_at, close_at = 0, tonumber(arg[1]), tonumber(arg[2]), tonumber(arg[3])
    function print(...)
      print_out(...)
      count = count + 1
      if count == reconnect_at then client:reconnect() end
      if count == close_at then client:close() end
      if count == last then WebSocket.stop() end
    end
    end
  ]]

  local NOBODY = { "says why when no server is there", url = "ws://127.0.0.1:1/", lines = 1,
    prints = "^failed:\t[^\n]*connection refused[^\n]*\n$" }

  -- For each program in its order: what it does with a server that behaves in some way. prints: a
  -- pattern for all that it prints; lines: after how many of its prints it is stopped; reconnect, close:
  -- at which it loses its connection, or is closed.
  local CASES = {
    {
      { "prints a message", path = "/echo", lines = 1, prints = "^feed\ttext\tsubscribe prices\n$" },
      { "tells when the connection ends", path = "/close?code=1001", lines = 1,
        prints = "^ended:\t1001\tagain in %d+%.%d s\n$" },
      { "tells when it ends for good", path = "/echo", lines = 2, close = 1,
        prints = "^feed\ttext\tsubscribe prices\nended:\t1000\tfor good\n$" },
      NOBODY,
    },
    {
      { "prints messages", path = "/count?n=3", lines = 3, prints = "^1\n2\n3\n$" },
      { "goes on after a reconnection", path = "/count?n=1", lines = 2, reconnect = 1,
        prints = "^1\n1\n$" },
      NOBODY,
    },
  }

  local programs = {}
  for _, block in ipairs(blocks_of "README.md") do
    if block.kind == "code lua" then programs[#programs + 1] = block end
  end

  local server
  setup(function() server = Server.start() end)
  teardown(Server.stop_all)

  it("has its cases here", function()
    assert.equal(#CASES, #programs)
  end)

  for i, cases in ipairs(CASES) do
    for _, case in ipairs(cases) do
      it(("%s: the %d."):format(case[1], i), function()
        local code, replaced = programs[i].text:gsub(URL:gsub("%p", "%%%0"), case.url or server:url(case.path))
        assert.equal(1, replaced)
        local result = child.run(PRELUDE .. code,
          { tostring(case.lines), tostring(case.reconnect or 0), tostring(case.close or 0) })
        assert.equal("", result.err)
        assert.equal(0, result.code)
        assert.match(case.prints, result.out)
      end)
    end
  end
end)

describe("what README.md names is there:", function()
  local shell = {}
  for _, block in ipairs(blocks_of "README.md") do
    if block.kind:find "^code" and block.kind ~= "code lua" then shell[#shell + 1] = block.text end
  end
  shell = table.concat(shell)

  it("the modules, where its LUA_PATH and LUA_CPATH look for them", function()
    local tree = assert(package.searchpath("steadysocket.core", package.cpath)):match "^(.*)/steadysocket/core%.so$"
    local line = assert(shell:match "export LUA_PATH=[^\n]+"):gsub("%$PWD/build/%?", tree:gsub("%%", "%%%%") .. "/?")
    local script = os.tmpname()
    local file <close> = assert(io.open(script, "w"))
    file:write(line, "\nexec ", child.interpreter(), " -e ", child.quote [[
      assert(require("steadysocket").version)
      print(package.searchpath("steadysocket", package.path))
      print(package.searchpath("steadysocket.luv", package.path))
      print(package.searchpath("steadysocket.core", package.cpath))
    ]], "\n")
    file:close()
    -- Nothing of what the specs themselves look for modules with.
    local pipe <close> = assert(io.popen("env -u LUA_PATH_5_4 -u LUA_CPATH_5_4 sh " .. script .. " 2>&1"))
    local output = pipe:read "a"
    os.remove(script)
    assert.equal(("@/steadysocket/init.lua\n@/steadysocket/luv.lua\n@/steadysocket/core.so\n"):gsub("@", tree),
      output)
    assert(read "Makefile":find("\nBUILD := build\n", 1, true)) -- where `make` builds
  end)

  it("every target of make", function()
    local targets = all("\n" .. shell, "\nmake ([%l-]+)")
    for target in pairs(all(readme, "`make ([%l-]+)")) do targets[target] = true end
    assert.is_true(targets.demo and targets.test)
    for target in pairs(targets) do
      assert(read "Makefile":find("\n" .. target .. ":", 1, true), target)
    end
  end)

  -- Each system's packages are those that tools/packages would name there.
  local systems = {
    debian = "apt%-get install ([^\n`]+)", fedora = "dnf install ([^\n`]+)", alpine = "apk add ([^\n`]+)",
    arch = "pacman %-S ([^\n`]+)", homebrew = "brew install ([^\n`]+)",
  }
  for system, pattern in pairs(systems) do
    it("every package, of " .. system, function()
      local known, count = {}, 0
      for _, quote, names in read "tools/requirements":gmatch("()" .. system .. "=(\"?)([^\"\n]+)") do
        for name in (quote == "" and names:match "^%S+" or names):gmatch "%S+" do known[name] = true end
      end
      for name in readme:match(pattern):gmatch "%S+" do
        count = count + 1
        assert(known[name], name)
      end
      assert(count >= 5)
    end)
  end

  -- src/lua/requirements.c has the numbers, and the rockspec LuaRocks'.
  it("every version that is needed", function()
    local requirements, rockspec = read "src/lua/requirements.c", read "rockspec/steadysocket-scm-1.rockspec"
    local needed = {
      Lua = rockspec:match '"lua >= (%d%.%d)',
      LuaRocks = rockspec:match 'rockspec_format = "(%d+)',
    }
    for _, name in ipairs { "libwebsockets", "libuv", "OpenSSL" } do
      local numbers = requirements:match("#define NEEDS_" .. name:upper() .. "%s+([%d, ]+)")
      needed[name] = numbers:gsub(", ", "."):gsub("%.0$", "")
    end
    assert.equal(needed.Lua, requirements:match "needs Lua (%d%.%d)")
    for _, path in ipairs { "README.md", "README.zh-CN.md" } do
      for name, version in pairs(needed) do
        assert(read(path):find(name .. " " .. version:gsub("%.", "%%.") .. "%f[^%d.]"), name .. " in " .. path)
      end
    end
  end)

  it("every file", function()
    local count = 0
    for path in pairs(all(readme:gsub("```.-```", ""), "`([%w_.-]+/[%w_./-]*)`")) do
      count = count + 1
      assert(exists(path), path)
    end
    for path in shell:gmatch "[%w_-]+/[%w_./-]+%.rockspec" do
      count = count + 1
      assert(exists(path), path)
    end
    assert(count > 1)
  end)
end)

describe("README.md and the reference name the same", function()
  it("functions of the module, with their arguments", function()
    local pattern = "`(WebSocket%.[^`]+)`"
    assert.same(
      sorted(first_cells(section(reference, "## Module"), pattern)),
      sorted(first_cells(section(readme, "## The module"), pattern)))
  end)

  it("methods, with their arguments", function()
    local pattern = "`(ws:[^`]+)`"
    assert.same(
      sorted(first_cells(section(reference, "## Client"), pattern)),
      sorted(first_cells(section(readme, "## A client"), pattern)))
  end)

  it("properties", function()
    local told = section(readme, "## A client"):match "\nProperties: (.-)\n\n"
    assert.same(
      sorted(first_cells(section(reference, "### Properties"), "`ws%.([%w_]+)`")),
      sorted(all(told, "`([%w_]+)`")))
  end)

  it("handlers, with their arguments", function()
    local handlers = section(reference, "### Handlers"):match "^(.-)`event` of"
    local here = section(readme, "## A client") .. section(readme, "## Options")
    local told = all(here, "`(on_[%w_]+%b())`")
    for name in pairs(all(here, "`(should_reconnect%b())`")) do told[name] = true end
    for name in pairs(first_cells(here, "`(log)`")) do told[name] = true end
    assert.same(sorted(first_cells(handlers, "`([^`]+)`")), sorted(told))
  end)

  for _, event in ipairs { "open", "close", "error" } do
    it("fields of the event of on_" .. event, function()
      local told = (section(reference, "### Handlers") .. "\n\n")
        :match("`event` of `on_" .. event .. "`:\n(\n.-\n)\n")
      local here = section(readme, "## A client"):match("\n| `on_" .. event .. "[^|]+|([^|]+)|")
      assert.same(sorted(first_cells(told, "`([%w_]+)`")), sorted(all(here, "`([%w_]+)`")))
    end)
  end

  it("kinds of failures", function()
    local kinds = section(reference, "## Codes"):match "^(.-)`code`, the third value"
    local pattern = "`([%w_]+)`"
    local told = sorted(first_cells(kinds, pattern))
    assert(#told > 0)
    assert.same(told, sorted(first_cells(section(readme, "## When something fails"), pattern)))
  end)

  it("statuses", function()
    local pattern = '`"(%l+)"`'
    local here = section(readme, "## From the JavaScript class"):match "\n|[^|]+|( `ws%.status`[^|]+)|"
    local there = section(reference, "### Properties"):match "\n| `ws%.status`([^\n]+)"
    assert.same(sorted(all(there, pattern)), sorted(all(here, pattern)))
  end)
end)

describe("README.md and the reference say the same of options:", function()
  -- Defaults as the reference has them, by the name, with the group before it.
  local told = {}
  for _, cells in ipairs(rows(section(reference, "## Options"))) do
    told[cells[1]:match "^`([%w_.]+)`$"] = cells[3]:gsub("`", "")
  end

  -- Words of README.md that stand for a default.
  local WORDS = { on = "true" }
  local UNSAID = "the reference says it" -- what README.md leaves out

  local function split(text, separator)
    local parts = {}
    for part in (text .. separator):gmatch("(.-)" .. separator) do parts[#parts + 1] = part end
    return parts
  end

  -- { min_delay = 0.5, verify } -> min_delay = "0.5", verify = UNSAID
  local function fields_of(list)
    local fields = {}
    for _, field in ipairs(split(list:match "^{ (.*) }$", ", ")) do
      local name, value = field:match "^([%w_]+) = (.+)$"
      fields[name or field] = value or UNSAID
    end
    return fields
  end

  local here, groups = {}, {}
  for _, cells in ipairs(rows(section(readme, "## Options"))) do
    local names = split(cells[1], ", ")
    local defaults = #names > 1 and cells[2]:find ", " and split(cells[2], ", ") or nil
    for i, name in ipairs(names) do
      local default = (defaults and defaults[i] or cells[2]):gsub("`", "")
      here[name:match "^`([%w_]+)`$"] = WORDS[default] or default
    end
    local list = cells[3]:match "`({ .- })`"
    if list then
      local name = cells[1]:match "`([%w_]+)`"
      groups[name] = fields_of(list)
      for field in pairs(all(cells[3], "`([%w_]+)`")) do -- of which it speaks
        if told[name .. "." .. field] and not groups[name][field] then groups[name][field] = UNSAID end
      end
    end
  end

  it("their names", function()
    local names = { log = true } -- a handler in the reference
    for name in pairs(told) do names[name:match "^[%w_]+"] = true end
    assert.same(sorted(names), sorted(here))
  end)

  it("the names in each group that it lists", function()
    local listed = {}
    for name, fields in pairs(groups) do
      listed[name] = true
      local real = {}
      for full in pairs(told) do
        local group, field = full:match "^([%w_]+)%.([%w_]+)$"
        if group == name then real[field] = true end
      end
      assert.same(sorted(real), sorted(fields), name)
    end
    assert.same({ "heartbeat", "inbox", "queue", "reconnect", "tls" }, sorted(listed))
  end)

  it("their defaults", function()
    local count = 0
    for name, default in pairs(here) do
      if name ~= "log" and name ~= "tls" then -- the one is a handler, the other's are its fields'
        count = count + 1
        assert.equal(told[name], default, name)
      end
    end
    for group, fields in pairs(groups) do
      for field, default in pairs(fields) do
        if default ~= UNSAID then
          count = count + 1
          assert.equal(told[group .. "." .. field], default, group .. "." .. field)
        end
      end
    end
    assert(count > 25, count)
  end)
end)

describe("docs/README.md", function()
  it("has every page, and a line about each", function()
    local index = {}
    for _, cells in ipairs(rows(read "docs/README.md")) do
      index[cells[1]:match "^%[[^%]]+%]%(([^)]*)%)$" or cells[1]] = cells[2]
    end
    local listing <close> = assert(io.popen "cd docs && ls *.md guide/*.md ../examples/*.md 2>/dev/null")
    local count = 0
    for page in listing:lines() do
      if page ~= "README.md" then
        count = count + 1
        assert(index[page] and index[page] ~= "", page .. " is not in docs/README.md")
      end
    end
    assert(count > 3)
  end)
end)
