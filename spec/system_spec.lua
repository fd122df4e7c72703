-- tools/system: what it refuses, before it makes or removes anything. It runs from a folder of its own, with
-- commands of ours before the system's in PATH, so that nothing is mounted or copied.

local child = require "support.child"
local files = require "support.files"

local folder

local function command(path, script)
  files.write(folder .. path, "#!/bin/sh\n" .. script)
  os.execute(("chmod +x '%s%s'"):format(folder, path))
end

-- What it prints, and its status.
local function system(...)
  local words = {}
  for i, word in ipairs { ... } do words[i] = child.quote(word) end
  local out = folder .. "/out"
  local _, _, status = os.execute(("LD_PRELOAD= PATH=%s/bin:$PATH %s/tools/system %s > %s 2>&1"):format(
    folder, folder, table.concat(words, " "), out))
  return files.read(out), status
end

local function made()
  local pipe <close> = assert(io.popen(("ls -d %s/build 2> /dev/null"):format(folder)))
  return pipe:read "a" ~= ""
end

describe("tools/system", function()
  before_each(function()
    folder = files.new_folder "system"
    os.execute(("mkdir %s/bin %s/tools && cp tools/system %s/tools"):format(folder, folder, folder))
    command("/bin/id", "echo 0\n")
    command("/bin/dpkg", "echo amd64\n")
    command("/tools/packages", "exit 1\n")
    for _, name in ipairs { "chroot", "cp", "mount", "unshare", "debootstrap" } do
      command("/bin/" .. name, "exit 1\n")
    end
  end)

  after_each(function() os.execute("rm -r " .. folder) end)

  it("refuses what is no release's name, and makes nothing", function()
    for _, name in ipairs { "", "../../etc", "a/b", "..", "-x", "a b", "a\nb", "a;b" } do
      local said, status = system(name, "amd64")
      assert.equal(1, status)
      assert.truthy(said:find(('make system: "%s" is no DIST: '):format(name), 1, true), said)
      assert.is_false(made())
    end
  end)

  it("refuses what is no architecture's name, and makes nothing", function()
    for _, name in ipairs { "nosuch", "../i386", "amd64 i386" } do
      local said, status = system("trixie", name)
      assert.equal(1, status)
      assert.truthy(said:find(('make system: "%s" is no ARCH: '):format(name), 1, true), said)
      assert.is_false(made())
    end
  end)

  it("says so where build/system is no folder", function()
    os.execute(("mkdir %s/build && touch %s/build/system"):format(folder, folder))
    local said, status = system("trixie", "amd64")
    assert.equal(1, status)
    assert.match("^make system: It cannot write to [^\n]*/build/system, which has to be a folder, [^\n]*\n$", said)
  end)

  it("mounts nothing where it is told by hand that it is inside of its namespaces", function()
    local pipe <close> = assert(io.popen "readlink /proc/self/ns/mnt")
    for _, outside in ipairs { "", pipe:read "l" } do
      local said, status = system("trixie", "amd64", "inside", outside)
      assert.same({ 'make system: "inside" is for itself, in namespaces of its own. Call it without.\n', 1 },
        { said, status })
      assert.is_false(made())
    end
  end)

  it("says that a bare system is damaged, and what to do", function()
    os.execute(("mkdir -p %s/build/system/trixie-amd64"):format(folder))
    local said, status = system("trixie", "amd64", "inside", "another namespace")
    assert.equal(1, status)
    assert.match("^make system: [^\n]*/build/system/trixie%-amd64 is damaged: there is no trixie for amd64 in it%.\n"
      .. "make system: Remove it %(rm %-r [^\n]*/trixie%-amd64%), and the next call makes it again%.\n$", said)
  end)
end)
