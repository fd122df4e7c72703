-- Every block of Lua in docs/guide is a complete program that ends by itself. Here each is run with
-- a server of ours in place of the one it talks to.

local Server = require "support.server"
local child = require "support.child"

local GUIDE = "docs/guide"
local URL = "ws://localhost:8080/"

-- The text of a page, and the line and code of each of its blocks.
local function blocks_of(path)
  local blocks, block = {}, nil
  local number = 0
  for line in io.lines(path) do
    number = number + 1
    if line:find "^```lua%s*$" then
      block = { line = number, code = {} }
    elseif line:find "^```" and block then
      block.code = table.concat(block.code, "\n")
      blocks[#blocks + 1] = block
      block = nil
    elseif block then
      table.insert(block.code, line)
    end
  end
  return blocks
end

local function pages()
  local listing = assert(io.popen(("ls %s/*.md"):format(GUIDE)))
  local paths = {}
  for path in listing:lines() do paths[#paths + 1] = path end
  listing:close()
  return paths
end

-- A module that the program needs and that is not there, or is too old.
local function lacking(code)
  for name in code:gmatch "require%s*%(?%s*[\"']([%w_.]+)" do
    if not name:find "^steadysocket" and child.run(("require %q"):format(name)).code ~= 0 then
      return name
    end
  end
end

describe("the guide", function()
  local server

  setup(function() server = Server.start() end)
  teardown(Server.stop_all)

  it("has pages", function()
    assert(#pages() > 0)
  end)

  for _, path in ipairs(pages()) do
    for _, block in ipairs(blocks_of(path)) do
      local name = ("runs: %s, line %d"):format(path, block.line)
      local missing = lacking(block.code)
      if missing then
        pending(("%s (%s is not there)"):format(name, missing))
      else
        it(name, function()
          local url = server:url "/"
          local code = block.code:gsub(URL:gsub("%p", "%%%0"), (url:gsub("%%", "%%%%")))
          local result = child.run(code)
          assert.equal("", result.err)
          assert.equal(0, result.code)
        end)
      end
    end
  end
end)
