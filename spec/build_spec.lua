-- What make builds, apart from what all other specs run: the command, for a tree and an interpreter; and when
-- it has tools/packages look for what the build needs.

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

describe("make has tools/packages look for what is needed", function()
  local folder

  local function script(path, text)
    files.write(folder .. "/" .. path, "#!/bin/sh\n" .. text)
    os.execute(("chmod +x %s/%s"):format(folder, path))
  end

  -- A compiler that makes empty files, or nothing when there is a file named broken; and a tools/packages that
  -- only notes that it was called, and fails when there is a file named missing.
  before_each(function()
    folder = files.new_folder "build"
    os.execute(("cp -r Makefile bin tools src %s; mkdir %s/bin.ours"):format(folder, folder))
    script("bin.ours/compiler", ([[
      cd %s && echo compiler >> called
      test ! -e broken || exit 1
      while test $# != 0; do test "$1" != -o || : > "$2"; shift; done
    ]]):format(folder))
    script("tools/packages", "echo packages >> called; test ! -e missing\n")
  end)

  after_each(function() os.execute("rm -r " .. folder) end)

  local function read_called()
    local file <close> = io.open(folder .. "/called")
    return file and file:read "a" or ""
  end

  -- What was called, in order, but each only once in a row; whether it succeeded; and how many seconds the
  -- processors worked for it.
  local function make(variables)
    os.remove(folder .. "/called")
    local command = ("cd %s && LD_PRELOAD= PATH=%s/bin.ours:$PATH env -u MAKEFLAGS -u MAKELEVEL make CC=compiler %s")
      :format(folder, folder, variables or "")
    local ok = os.execute(("{ %s; status=$?; times > times; exit $status; } > %s/out 2>&1"):format(command, folder))
    local called, seconds = "", 0
    for name in read_called():gmatch "%l+" do
      if called:match "%l*$" ~= name then called = called .. (called == "" and "" or ", ") .. name end
    end
    for minutes, rest in files.read(folder .. "/times"):match("\n(.*)"):gmatch "(%d+)m([%d.]+)s" do
      seconds = seconds + 60 * minutes + rest
    end
    return called, ok == true, seconds
  end

  it("before all else, and not again when there is nothing to do, which takes no second", function()
    assert.equal("packages, compiler", (make()))
    local called, ok, seconds = make()
    assert.equal("", called)
    assert.is_true(ok)
    assert(seconds < 1, seconds)
  end)

  it("not again when a source has changed", function()
    make()
    os.execute(("sleep 0.1; touch %s/src/core/utf8.c"):format(folder))
    assert.equal("compiler", (make()))
  end)

  it("again before all else when something was missing", function()
    files.write(folder .. "/missing", "")
    for _ = 1, 2 do
      local called, ok = make()
      assert.equal("packages", called)
      assert.is_false(ok)
    end
    os.remove(folder .. "/missing")
    assert.equal("packages, compiler", (make()))
  end)

  it("again before all else when a library is gone", function()
    make()
    script("bin.ours/pkg-config", 'case "$*" in *libuv*) exit 1;; esac\nexec /usr/bin/pkg-config "$@"\n')
    files.write(folder .. "/missing", "")
    for _ = 1, 2 do assert.equal("packages", (make())) end
  end)

  it("again when libwebsockets' plug-in or the compiler is gone", function()
    make()
    script("bin.ours/pkg-config", ('case "$*" in *variable=libdir*) echo %s; exit;; esac\n'):format(folder)
      .. 'exec /usr/bin/pkg-config "$@"\n')
    assert.equal("packages", (make()))
    assert.equal("", (make()))
    os.remove(folder .. "/bin.ours/compiler")
    assert.equal("packages", (make()))
  end)

  it("again when it, or what it reads, has changed", function()
    make()
    for _, path in ipairs { "tools/packages", "tools/requirements", "src/lua/requirements.c" } do
      os.execute(("echo >> %s/%s"):format(folder, path))
      assert.match("^packages", (make()))
      assert.equal("", (make()))
    end
  end)

  it("again after something could not be compiled", function()
    make()
    files.write(folder .. "/broken", "")
    os.execute(("sleep 0.1; touch %s/src/core/utf8.c"):format(folder))
    assert.equal("compiler", (make()))
    assert.equal("packages, compiler", (make()))
    os.remove(folder .. "/broken")
    assert.equal("packages, compiler", (make()))
    assert.equal("", (make()))
  end)
end)
