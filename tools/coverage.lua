-- Reports what tools/coverage has measured: the share of the lines of each file that ran, and those
-- that did not and are not explained in docs/coverage.md. Fails when a share is too small or when
-- there is such a line.
--
--   lua5.4 tools/coverage.lua build/coverage [some]   some: not all specs ran, so nothing is judged

local BUILD, PARTLY = arg[1], arg[2]
local PAGE = "docs/coverage.md"

-- A name, the files, and the percentage of lines that has to run.
local GROUPS = {
  { "src/core", "^src/core/", 95 },
  { "all C", "%.[ch]$", 90 },
  { "all Lua", "%.lua$", 90 },
}

local files = {} -- by path: { [number] = whether it ran } for the lines with code

local function count(path, number, ran)
  files[path] = files[path] or {}
  files[path][number] = files[path][number] or ran
end

local function read(path)
  local file <close> = assert(io.open(path, "rb"))
  return file:read "a"
end

local function lines_from(command, ...)
  return assert(io.popen(command:format(...))):lines()
end

-- gcov's lines are COUNT:NUMBER:TEXT, where a count of "-" is no code, and "#####" never ran.
local function count_c()
  local path
  local command = "find %s/obj/src -name '*.gcno' | xargs gcov --stdout 2>/dev/null"
  for line in lines_from(command, BUILD) do
    path = line:match "^ *%-: *0:Source:(.*)" or path
    local times, number = line:match "^ *([^ :]+): *([1-9]%d*):"
    if times and times ~= "-" and path:find "^src/" then
      count(path, tonumber(number), not times:find "^[#=]")
    end
  end
end

-- The lines of a Lua file that have code are in luac's listing of instructions. Left out are those
-- that are not its author's: what each function begins with when it takes any number of arguments,
-- and what it ends with whether or not it gets there.
local function count_lua(path)
  local ran = read(path:gsub("^src/steadysocket", BUILD .. "/lines", 1))
  local last
  for line in lines_from("luac5.4 -l -p %s", path) do
    local number, name = line:match "^\t%d+\t%[(%d+)%]\t([%u%d]+)"
    if last then
      local at = last
      if number then count(path, at, ran:byte(at + 1) == 1) end
    end
    last = name ~= "VARARGPREP" and tonumber(number) or nil
  end
end

----------------------------------------------------------------------------------------------------
-- The shares

local function share_of(pattern)
  local total, hit = 0, 0
  for path, lines in pairs(files) do
    for _, ran in pairs(path:find(pattern) and lines or {}) do
      total = total + 1
      if ran then hit = hit + 1 end
    end
  end
  return 100 * hit / total, total
end

local function show(pattern, name)
  local share, total = share_of(pattern)
  print(("%5.1f %% of %4d  %s"):format(share, total, name))
  return share
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys)
  return keys
end

----------------------------------------------------------------------------------------------------
-- What did not run, in blocks of lines with no code between them that did

-- The name of the function that a line begins, if it does: our C has them at the margin.
local function function_begun(path, line)
  if path:find "%.lua$" then
    return line:match "^%s*local function ([%w_]+)" or line:match "^%s*function ([%w_.:]+)"
  end
  return line:match "^%a[^;]-([%w_]+)%("
end

-- Each block is a list of "PATH FUNCTION: TEXT", one for each of its lines.
local function blocks_of(path)
  local blocks, block, name, number = {}, nil, "-", 0
  for line in io.lines(path) do
    number = number + 1
    name = function_begun(path, line) or name
    local ran = files[path][number]
    if ran then
      block = nil
    elseif ran == false then
      if not block then
        block = {}
        table.insert(blocks, block)
      end
      table.insert(block, ("%s %s: %s"):format(path, name, line:match "^%s*(.-)%s*$"))
    end
  end
  return blocks
end

-- What the page explains: its lines of code of that form.
local function explained()
  local entries = {}
  for line in io.lines(PAGE) do
    local entry = line:match "^    (src/.*)$"
    if entry then entries[entry] = "unused" end
  end
  return entries
end

local function is_explained(block, entries)
  local found
  for _, line in ipairs(block) do
    if entries[line] then found, entries[line] = true, "used" end
  end
  return found
end

count_c()
for path in lines_from "find src/steadysocket -name '*.lua'" do count_lua(path) end

for _, path in ipairs(sorted_keys(files)) do show("^" .. path:gsub("%p", "%%%0") .. "$", path) end
local failed = false
for _, group in ipairs(GROUPS) do
  local name, pattern, limit = table.unpack(group)
  if show(pattern, name) < limit then
    failed = true
    print(("        at least %d %% is wanted"):format(limit))
  end
end

local entries = explained()
for _, path in ipairs(sorted_keys(files)) do
  for _, block in ipairs(blocks_of(path)) do
    if not is_explained(block, entries) then
      failed = true
      print(("not run, and not in %s:\n    %s"):format(PAGE, table.concat(block, "\n    ")))
    end
  end
end
for _, entry in ipairs(sorted_keys(entries)) do
  if entries[entry] == "unused" then
    print(("in %s, but it ran, or is gone:\n    %s"):format(PAGE, entry))
  end
end
os.exit(not failed or PARTLY ~= nil)
