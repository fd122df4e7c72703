--- Indents JSON. lua-cjson only checks that a text is JSON. The text itself is not written by
-- lua-cjson, so the order of its keys and all digits of its numbers stay.

require "steadysocket.loader"

local INDENT = "  "

local function end_of_string(text, at)
  repeat
    at = text:find('["\\]', at + 1)
    local escaped = text:sub(at, at) == "\\"
    if escaped then at = at + 1 end
  until not escaped
  return at
end

-- Returns the token at a position, which is not white space, and the position where it ends.
local function token(text, at)
  local char = text:sub(at, at)
  local last = at
  if char == '"' then
    last = end_of_string(text, at)
  elseif char:find "[%[{]" then -- "[]" and "{}" are not split
    last = select(2, text:find("^%s*[%]}]", at + 1)) or at
    if last > at then return char .. text:sub(last, last), last end
  elseif not char:find "[%]},:]" then
    last = select(2, text:find("^[^%s,%]}]+", at))
  end
  return text:sub(at, last), last
end

local function indented(text)
  local out, depth = {}, 0
  local function add(piece, line_break)
    out[#out + 1] = piece
    if line_break then out[#out + 1] = "\n" .. INDENT:rep(depth) end
  end
  local at = text:find "%S"
  while at do
    local piece, last = token(text, at)
    if piece == "{" or piece == "[" then
      depth = depth + 1
      add(piece, true)
    elseif piece == "}" or piece == "]" then
      depth = depth - 1
      add("", true)
      add(piece)
    else
      add(piece == ":" and ": " or piece, piece == ",")
    end
    at = text:find("%S", last + 1)
  end
  return table.concat(out)
end

local json = {}

--- Returns a function that indents a text if it is JSON, or nil and a text that says what is
--- missing for that.
function json.formatter()
  local found, cjson = pcall(require, "cjson")
  if not found then
    return nil, "--json needs lua-cjson (apt-get install lua-cjson, or luarocks install lua-cjson);"
      .. " messages are printed as they come"
  end
  return function(text)
    return pcall(cjson.decode, text) and indented(text) or text
  end
end

return json
