-- The rockspec lists its files by hand, since it can do nothing else: are they the files there are?
-- Arguments: the rockspec, then every file that it has to install or compile, as the Makefile finds
-- them.

local rockspec = {}
assert(loadfile(arg[1], "t", rockspec))()

local listed, failed = {}, false

local function complain(path, what)
  print(("%s: %s %s"):format(arg[1], path, what))
  failed = true
end

local function list(path)
  if listed[path] then complain(path, "is listed twice") end
  listed[path] = true
end

for _, module in pairs(rockspec.build.modules) do
  if type(module) == "string" then
    list(module)
  else
    for _, path in ipairs(module.sources) do list(path) end
  end
end

for _, path in pairs(rockspec.build.install.bin) do list(path) end

-- It is compiled first, to say which library is too old before a compiler does.
local REQUIREMENTS = "src/lua/requirements.c"
if rockspec.build.modules["steadysocket.core"].sources[1] ~= REQUIREMENTS then
  complain(REQUIREMENTS, "is not the first source")
end

for i = 2, #arg do
  if not listed[arg[i]] then complain(arg[i], "is not listed") end
  listed[arg[i]] = nil
end
for path in pairs(listed) do complain(path, "does not exist") end

os.exit(not failed)
