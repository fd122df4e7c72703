-- What make builds, apart from what all other specs run: the command, for a tree and an interpreter.

local child = require "support.child"
local files = require "support.files"

describe("make", function()
  local folder, tree

  before_each(function()
    folder = files.new_folder "build"
    tree = folder .. "/it's a tree"
    os.execute(("mkdir %s && cp -r Makefile bin tools %s"):format(child.quote(tree), child.quote(tree)))
  end)

  after_each(function() os.execute("rm -r " .. folder) end)

  -- The command's text, once it has been made with that Lua.
  local function command(lua)
    local done = os.execute(("cd %s && env -u MAKEFLAGS -u MAKELEVEL make build/bin/steadysocket LUA=%s > %s/out 2>&1")
      :format(child.quote(tree), child.quote(lua), folder))
    assert.is_true(done, files.read(folder .. "/out"))
    return files.read(tree .. "/build/bin/steadysocket")
  end

  it("has the command run by the Lua that is there, also when that becomes another", function()
    assert.equal("#!/usr/bin/env lua5.4", command("lua5.4"):match "^[^\n]*")
    assert.equal("#!/usr/bin/env lua", command("lua"):match "^[^\n]*")
  end)

  it("has the command find its modules in a tree with a blank and a quote in its path", function()
    command(child.interpreter())
    os.execute(("mkdir -p %s"):format(child.quote(tree .. "/build/steadysocket")))
    files.write(tree .. "/build/steadysocket/cli.lua", "print(...) os.exit(0)")
    local path = child.quote(tree .. "/build/bin/steadysocket")
    local pipe <close> = assert(io.popen(("cd / && LUA_PATH= LUA_CPATH= %s %s 2>&1"):format(child.interpreter(), path)))
    assert.equal("steadysocket.cli\t" .. tree .. "/build/steadysocket/cli.lua\n", pipe:read "a")
  end)
end)
