-- tools/demo.py: Ctrl-C in a terminal ends it, and what it has started, without a traceback.

local Command = require "support.command"
local child = require "support.child"
local files = require "support.files"

-- Some containers have no pseudo-terminals.
local no_terminal = not os.execute "LD_PRELOAD= script -qec true /dev/null >/dev/null 2>&1"
  and "script (util-linux) makes no terminal here"

describe("Ctrl-C ends tools/demo.py without a traceback", function()
  local folder

  before_each(function()
    folder = files.new_folder "demo"
    -- Of all that the demo starts, a sanitizer is to look at the interpreter alone.
    files.write(folder .. "/lua", ('#!/bin/sh\nLD_PRELOAD=%s exec %s "$@"\n'):format(
      child.quote(os.getenv "LD_PRELOAD" or ""), child.interpreter()))
    files.write(folder .. "/demo.lua",
      'os.exit(select(3, os.execute "LD_PRELOAD= exec /usr/bin/python3 tools/demo.py"))')
    os.execute("chmod +x " .. folder .. "/lua")
  end)

  after_each(function()
    Command.end_all()
    os.execute("rm -r " .. folder)
  end)

  -- Presses Ctrl-C as soon as the demo has printed what the pattern fits to.
  local function interrupt(pattern)
    local demo = Command.start({}, { terminal = true, program = folder .. "/demo.lua",
      environment = ("LUA=%s/lua PATH=%s:$PATH"):format(folder, folder) })
    demo:shows("out", pattern)
    demo:write "\3"
    local result = demo:result()
    assert.equal(130, result.code)
    assert.not_match("[Tt]raceback", result.out .. result.err)
  end

  local function spec(name, fn)
    if no_terminal then return pending(("%s (%s)"):format(name, no_terminal)) end
    it(name, fn)
  end

  spec("while it makes its certificate", function()
    files.write(folder .. "/openssl", "#!/bin/sh\necho a certificate\nexec sleep 60\n")
    os.execute("chmod +x " .. folder .. "/openssl")
    interrupt "(a certificate)"
  end)

  spec("while the example runs", function()
    interrupt "(message 1)"
  end)
end)
