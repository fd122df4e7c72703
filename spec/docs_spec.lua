-- Every link of the documents to a file of the repository finds it, and the heading it names.

local DOCUMENTS = "README.md README.zh-CN.md src/README.md examples/README.md docs/*.md docs/*/*.md"

local function documents()
  local paths = {}
  local listing <close> = assert(io.popen(("ls -d %s 2> /dev/null"):format(DOCUMENTS)))
  for path in listing:lines() do paths[#paths + 1] = path end
  return paths
end

-- Calls fn(line, number) for each line that is not in a fenced block.
local function each_line(path, fn)
  local number, fenced = 0, false
  for line in io.lines(path) do
    number = number + 1
    if line:find "^%s*```" then
      fenced = not fenced
    elseif not fenced then
      fn(line, number)
    end
  end
end

local function is_punctuation(code)
  if code < 128 then return not utf8.char(code):find "[%w_ -]" end
  return code >= 0x2000 and code <= 0x206F -- dashes, quotation marks and so on
    or code >= 0x3000 and code <= 0x303F -- and those of Chinese
    or code >= 0xFF00 and code <= 0xFF0F
    or code >= 0xFF1A and code <= 0xFF20
end

-- The anchor of a heading, as GitHub makes it.
local function anchor_of(heading)
  local characters = {}
  for _, code in utf8.codes((heading:gsub("%[(.-)%]%b()", "%1"))) do
    if not is_punctuation(code) then characters[#characters + 1] = utf8.char(code) end
  end
  return (table.concat(characters):lower():gsub(" ", "-"))
end

local anchors_of_path = {}

local function anchors(path)
  if not anchors_of_path[path] then
    local set = {}
    anchors_of_path[path] = set
    each_line(path, function(line)
      local heading = line:match "^#+%s+(.-)%s*$"
      if heading then
        local anchor, again = anchor_of(heading), 0
        local unique = anchor
        while set[unique] do
          again = again + 1
          unique = anchor .. "-" .. again
        end
        set[unique] = true
      end
      for name in line:gmatch "<a%s+[idname]+=\"([^\"]+)\"" do set[name] = true end
    end)
  end
  return anchors_of_path[path]
end

local function exists(path)
  local file = io.open(path)
  if file then file:close() end
  return file ~= nil
end

-- "docs/guide" and "../a/b.md" make "docs/a/b.md".
local function join(folder, link)
  local parts = {}
  for part in (folder .. "/" .. link):gmatch "[^/]+" do
    if part == ".." and #parts > 0 then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

-- What is wrong with a link in the document at `path`, or nil.
local function fault(path, link)
  if link:find "^%a[%w+.-]*:" then return nil end -- it leads elsewhere
  local file, anchor = link:match "^([^#]*)#?(.*)$"
  local target = file == "" and path or join(path:match "^(.*)/" or ".", file)
  if not exists(target) then return "there is no " .. target end
  if anchor ~= "" and not anchors(target)[anchor] then
    return ("%s has no heading #%s"):format(target, anchor)
  end
end

local function each_link(path, fn)
  each_line(path, function(line, number)
    local text = line:gsub("`[^`]*`", "") -- code holds no links
    for link in text:gmatch "%]%(<?([^%s)>]+)" do fn(link, number) end
    for link in text:gmatch "^%[[^%]]+%]:%s*(%S+)" do fn(link, number) end
    for _, name in ipairs { "href", "src", "srcset" } do
      for link in text:gmatch("%f[%w]" .. name .. "=\"([^\"%s]+)") do fn(link, number) end
    end
  end)
end

describe("the documents", function()
  it("are there, with links among them", function()
    local links = 0
    for _, path in ipairs(documents()) do
      each_link(path, function(link) links = links + (fault(path, link) == nil and 1 or 0) end)
    end
    assert.is_true(links > 0)
  end)

  for _, path in ipairs(documents()) do
    it("link to files and headings that exist: " .. path, function()
      local faults = {}
      each_link(path, function(link, number)
        local what = fault(path, link)
        if what then faults[#faults + 1] = ("line %d: %s"):format(number, what) end
      end)
      assert.same({}, faults)
    end)
  end
end)
