-- tools/packages: what it says and does on systems of several kinds, which are made of commands of ours
-- that stand before the system's in PATH.

local child = require "support.child"
local files = require "support.files"

local folder
local busted_it = it

before_each(function() folder = files.new_folder "packages" end)

after_each(function() os.execute("rm -r " .. folder) end)

local function command(name, script)
  files.write(folder .. "/" .. name, "#!/bin/sh\n" .. script)
  os.execute(("chmod +x %s/%s"):format(folder, name))
end

-- A Debian: uid; libraries, their versions as pkg-config tells them; candidates, versions of packages that
-- could be installed; installed and unknown, packages. What apt-get is told is in the file `told`.
local function debian(system)
  local libraries, candidates = {}, {}
  for name, version in pairs(system.libraries or {}) do
    libraries[#libraries + 1] = ('*"--modversion %s"*) %s;; *"--exists %s"*) exit 1;;'):format(
      name, version and "echo " .. version .. "; exit 0" or "exit 1", name)
  end
  for name, version in pairs(system.candidates or {}) do
    candidates[#candidates + 1] = ('"policy %s") echo "  Candidate: %s";;'):format(name, version)
  end
  local function among(names, yes, no)
    return ('case " %s " in *" $name "*) %s;; *) %s;; esac\n'):format(
      table.concat(names or {}, " "), yes, no)
  end
  command("id", "echo " .. (system.uid or 0) .. "\n")
  command("pkg-config", ('case "$*" in %s esac\nexec /usr/bin/pkg-config "$@"\n'):format(table.concat(libraries, " ")))
  command("apt-cache", ('case "$*" in policy) echo " 500 http://example.org stable/main Packages";; %s '
    .. '*) echo "  Candidate: 999";; esac\n'):format(table.concat(candidates, " ")))
  command("dpkg-query", "for name; do :; done\n" .. among(system.installed, "echo installed", "exit 1"))
  command("apt-get", ('echo "$*" >> %s/told\ncase "$*" in *-s*) for name; do %s done;; esac\n'):format(
    folder, among(system.unknown, "exit 100", ":")))
end

-- What it prints, whether it succeeds, and what apt-get was told to install.
local function packages(arguments, environment)
  local out = folder .. "/out"
  local ok = os.execute(("LD_PRELOAD= PATH=%s:$PATH %s tools/packages %s > %s 2>&1"):format(
    folder, environment or "", arguments, out))
  local pipe <close> = assert(io.popen(("grep -h -v -e ' -s ' -e '^-s' %s/told 2> /dev/null"):format(folder)))
  return files.read(out), ok == true, pipe:read "a"
end

describe("tools/packages", function()
  local function it(name, fn)
    if child.has "dpkg" then return busted_it(name, fn) end
    pending(name .. " (dpkg, which compares versions, is not there)")
  end

  it("says which version there is and which is needed where the system's packages are too old, "
    .. "and installs nothing", function()
    debian {
      libraries = { libwebsockets = false, libuv = false },
      candidates = { ["libwebsockets-dev"] = "4.0.20-2", ["libuv1-dev"] = "1.40.0-2+deb11u1" },
      unknown = { "libwebsockets-evlib-uv" },
    }
    local said, ok, told = packages "install build"
    assert.is_false(ok)
    assert.match("needs, and the packages of this system do not have:\n"
      .. "  libwebsockets 4%.1 or later, with its libuv event plug%-in: "
      .. "this system's package libwebsockets%-dev is 4%.0%.20\n"
      .. "  libuv 1%.43 or later: this system's package libuv1%-dev is 1%.40%.0\n"
      .. "Use a system that has it", said)
    assert.not_match("Unable to locate", said)
    assert.not_match("To install", said)
    assert.equal("", told)
  end)

  it("says which package the system does not have", function()
    debian { libraries = { libwebsockets = false }, unknown = { "libwebsockets-evlib-uv" } }
    local said, ok, told = packages "install build"
    assert.is_false(ok)
    assert.match("plug%-in: this system has no package libwebsockets%-evlib%-uv\n", said)
    assert.equal("", told)
  end)

  it("does not advise to install what is installed", function()
    debian {
      libraries = { libuv = "1.40.0" },
      installed = { "libuv1-dev" },
    }
    local said, ok, told = packages "install build"
    assert.is_false(ok)
    assert.match("  libuv 1%.43 or later: installed %(libuv1%-dev%), but found only 1%.40%.0\n", said)
    assert.not_match("To install", said)
    assert.equal("", told)
  end)

  it("installs what is missing, as root", function()
    debian { libraries = { libuv = false } }
    local said, ok, told = packages "install build"
    assert.is_false(ok) -- it is a system on which that does not help
    assert.match("Installing with apt%-get: libuv1%-dev\n", said)
    assert.match("install %-y %-%-no%-install%-recommends libuv1%-dev\n", told)
  end)

  it("says what to install to all others", function()
    debian { uid = 1000, libraries = { libuv = false } }
    local said, ok, told = packages "install build"
    assert.is_false(ok)
    assert.match("needs, and did not find:\n  libuv 1%.43 or later %(package libuv1%-dev%)\n"
      .. "To install:\n  sudo apt%-get install %-y %-%-no%-install%-recommends libuv1%-dev\n", said)
    assert.equal("", told)
  end)

  it("goes on without a module that is only wanted and does not load, and says why", function()
    debian { installed = { "lua-copas" } }
    files.write(folder .. "/copas.lua", 'require "timerwheel"')
    command("lua", ([[exec %s -e 'package.path = "%s/?.lua;" .. package.path' "$@"]] .. "\n"):format(
      child.interpreter(), folder))
    local said, ok = packages("install test", "LUA=lua")
    assert.match("  Copas: installed %(lua%-copas%), but does not load: module 'timerwheel' not found\n", said)
    assert.match("specs are pending", said)
    assert.is_true(ok)
  end)

  it("wants LuaRocks 3", function()
    debian { candidates = { luarocks = "2.4.2+dfsg1-1" } }
    command("luarocks", "echo /usr/bin/luarocks 2.4.2\n")
    local said, ok = packages "install rocks"
    assert.is_false(ok)
    assert.match("  LuaRocks 3 or later: this system's package luarocks is 2%.4%.2\n", said)
  end)

  it("wants Lua 5.4, and no other", function()
    debian { installed = { "lua5.4" } }
    command("lua", "echo Lua 5.1\n")
    local said, ok = packages("install lua", "LUA=lua")
    assert.is_false(ok)
    assert.match("  lua, the interpreter of Lua 5%.4: installed %(lua5%.4%), but found Lua 5%.1\n", said)
  end)

  it("says nothing when nothing is missing", function()
    debian {}
    assert.equal("", (packages "check build lua"))
  end)
end)
