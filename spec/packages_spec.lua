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

-- Leaves some programs out of PATH, which becomes a folder of links to all others. The result is the case of
-- a shell's in which apt-get installs them.
local function take_away(absent)
  local brings = {}
  os.execute(("mkdir %s/bin; IFS=:; for place in $PATH; do ln -s $place/* %s/bin; done 2> /dev/null"):format(
    folder, folder))
  for package, programs in pairs(absent) do
    for _, name in ipairs(programs) do
      os.execute(("mv %s/bin/%s %s/absent.%s 2> /dev/null"):format(folder, name, folder, name))
    end
    brings[#brings + 1] = ('*" %s "*|*" %s") cd %s; for name in %s; do mv absent.$name $name; done 2> /dev/null;;')
      :format(package, package, folder, table.concat(programs, " "))
  end
  return table.concat(brings, " ")
end

-- A Debian: uid; libraries, their versions as pkg-config tells them; candidates, versions of packages that
-- could be installed; installed and unknown, packages; absent, programs that are not there, by the package
-- that brings them. What apt-get is told is in the file `told`.
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
  local brings = system.absent and take_away(system.absent) or ""
  if not (system.absent or {})["pkg-config"] then
    command("pkg-config", ('case "$*" in %s esac\nexec /usr/bin/pkg-config "$@"\n'):format(
      table.concat(libraries, " ")))
  end
  command("apt-cache", ('case "$*" in policy) echo " 500 http://example.org stable/main Packages";; %s '
    .. '*) echo "  Candidate: 999";; esac\n'):format(table.concat(candidates, " ")))
  command("dpkg-query", "for name; do :; done\n" .. among(system.installed, "echo installed", "exit 1"))
  command("apt-get", ('echo "$*" >> %s/told\ncase "$*" in *-s*) for name; do %s done;; %s esac\n'):format(
    folder, among(system.unknown, "exit 100", ":"), brings))
end

-- What it prints, whether it succeeds, what apt-get was told to install, and its status.
local function packages(arguments, environment)
  local out = folder .. "/out"
  local rest = os.rename(folder .. "/bin", folder .. "/bin") and folder .. "/bin" or "$PATH"
  local ok, _, status = os.execute(("LD_PRELOAD= PATH=%s:%s %s tools/packages %s > %s 2>&1"):format(
    folder, rest, environment or "", arguments, out))
  local pipe <close> = assert(io.popen(("grep -h -v -e ' -s ' -e '^-s' %s/told 2> /dev/null"):format(folder)))
  return files.read(out), ok == true, pipe:read "a", status
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

  describe("without pkg-config, by which every library is found,", function()
    local libraries = {
      "zlib1g-dev", "liblua5.4-dev", "libwebsockets-dev", "libwebsockets-evlib-uv", "libuv1-dev", "libssl-dev",
    }

    it("names it alone where the libraries are installed", function()
      debian { uid = 1000, absent = { ["pkg-config"] = { "pkg-config" } }, installed = libraries }
      local said, ok = packages "check build"
      assert.is_false(ok)
      assert.equal("steadysocket needs, and did not find:\n  pkg-config (package pkg-config)\n"
        .. "To install:\n  sudo apt-get install -y --no-install-recommends pkg-config\n", said)
    end)

    it("installs it alone, and looks again", function()
      debian { absent = { ["pkg-config"] = { "pkg-config" } }, installed = libraries }
      local said, ok, told = packages "install build"
      assert.equal("Installing with apt-get: pkg-config\n", said)
      assert.match("recommends pkg%-config\n$", told)
      assert.is_true(ok)
    end)

    it("says nothing of versions that the system's packages have", function()
      debian {
        uid = 1000, absent = { ["pkg-config"] = { "pkg-config" } }, candidates = { ["libuv1-dev"] = "1.40.0-2" },
      }
      assert.not_match("libuv 1", (packages "check build"))
    end)
  end)

  describe("without the interpreter, by which every module is found,", function()
    local absent = { ["lua5.4"] = { "lua5.4", "lua-5.4", "lua54", "lua" } }
    local modules = {
      "lua-busted", "lua-socket", "lua-sec", "lua-luv", "lua-cqueues", "lua-copas", "lua-cjson", "lua-redis",
    }

    it("names it alone of what is needed where the modules are installed", function()
      debian { uid = 1000, absent = absent, installed = modules }
      local said, ok = packages("check test", "LUA=lua5.4")
      assert.is_false(ok)
      assert.match("^steadysocket needs, and did not find:\n"
        .. "  lua5%.4, the interpreter of Lua 5%.4 %(package lua5%.4%)\nTo install:\n", said)
    end)

    it("installs it, and looks again", function()
      debian { absent = absent, installed = modules }
      local said, ok, told = packages("install test", "LUA=lua5.4")
      assert.match("^Installing with apt%-get: lua5%.4", said)
      assert.not_match("steadysocket needs", said) -- what it only wants may be missing here
      assert.not_match("lua%-busted", told)
      assert.is_true(ok)
    end)
  end)

  describe("where no package helps with one thing", function()
    it("installs the others all the same", function()
      debian { libraries = { libuv = "1.40.0", libssl = false }, installed = { "libuv1-dev" } }
      local said, ok, told = packages "install build"
      assert.is_false(ok)
      assert.match("recommends libssl%-dev\n", told)
      assert.match("do not have:\n  libuv 1%.43 or later: installed", said)
    end)

    it("names the others as well", function()
      debian { uid = 1000, libraries = { libuv = "1.40.0", libssl = false }, installed = { "libuv1-dev" } }
      local said = packages "check build"
      assert.match("do not have:\n  libuv 1%.43 or later: installed", said)
      assert.match("did not find:\n  OpenSSL [%d.]+ or later %(package libssl%-dev%)\n", said)
      assert.match("recommends libssl%-dev\n", said)
    end)
  end)

  it("says of a library by hand how it is found, and of a program, that it is in PATH", function()
    debian { libraries = { libuv = "1.40.0" }, installed = { "libuv1-dev" } }
    assert.match("by hand: then it is found\na library by pkg%-config%.\n", (packages "check build"))
    debian { absent = { debootstrap = { "debootstrap" } }, unknown = { "debootstrap" } }
    assert.match("by hand: then it is found\nin PATH%.\n", (packages "check system"))
  end)

  it("says that a library does not tell its version", function()
    debian { libraries = { libuv = "" }, installed = { "libuv1-dev" } }
    assert.match("but found one that does not tell its version\n", (packages "check build"))
  end)

  it("says in one message what is wrong with how it was called", function()
    for arguments, message in pairs {
      [""] = '"" is no action', ["nosuch build"] = '"nosuch" is no action', check = "No group is named",
      ["check nosuch"] = '"nosuch" is no group', ["install build 'a b'"] = '"a b" is no group',
    } do
      local said, _, _, status = packages(arguments)
      assert.equal(2, status)
      assert.match("^tools/packages: " .. message .. "%. Call it as: [^\n]*\n$", said)
    end
  end)

  it("says nothing when nothing is missing", function()
    debian {}
    assert.equal("", (packages "check build lua"))
  end)
end)
