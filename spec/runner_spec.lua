-- tools/specs: what it tells of files of specs that do not pass.

local child = require "support.child"
local files = require "support.files"

describe("tools/specs", function()
  local folder

  before_each(function() folder = files.new_folder "runner" end)
  after_each(function() os.execute("rm -r " .. folder) end)

  -- What it prints of spec files of these texts, by their names, and its status. No sanitizer looks at the shell.
  local function run(texts)
    local paths = {}
    for name, text in pairs(texts) do
      paths[#paths + 1] = ("%s/%s_spec.lua"):format(folder, name)
      files.write(paths[#paths], text)
    end
    local command = "LD_PRELOAD= LUA=%s UNDER= LUA_PATH=%s LUA_CPATH=%s tools/specs %s > %s/out 2>&1"
    local _, _, status = os.execute(command:format(
      child.quote(child.interpreter()), child.quote(package.path), child.quote(package.cpath),
      table.concat(paths, " "), folder))
    return files.read(folder .. "/out"), status
  end

  local PASSES = [[it("passes", function() end)]]
  local FAILS = [[it("fails on purpose", function() error("the reason" .. ("\n more"):rep(100)) end)
    it("waits on purpose", function() pending "not now" end)]]

  it("tells what failed in short behind all else, where a log that is cut still has it", function()
    local out, status = run { fails = FAILS, passes = PASSES, breaks = "os.exit(7)" }
    assert.is_true(status ~= 0)
    local short = out:match "\n\nWhat failed, in short:\n(.*)$"
    assert.match("/fails_spec%.lua: exit status 1\nError %-> [^\n]*\nfails on purpose\n", short)
    assert.match("the reason\n more\n", short)
    assert.match("/breaks_spec%.lua: exit status 7\n", short)
    assert.match("\n1 specs passed, 2 failed, 1 pending\n$", short)
    assert.is_nil(short:find "waits on purpose" or short:find "passes_spec")
    assert.is_true(select(2, short:gsub("\n", "\n")) < 20, short)
  end)

  it("tells it once where there is one file, and not at all where all pass", function()
    for _, texts in ipairs { { fails = FAILS }, { passes = PASSES, others = PASSES } } do
      assert.is_nil(run(texts):find "What failed")
    end
  end)
end)
