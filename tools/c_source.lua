--- Reads a C file for tools/layers.lua: what it includes, which names of others it uses, and which
--- functions and variables it defines for others.
---
--- It is no compiler. Both sides of an #if count, and so does what a macro is made of, in the file
--- that defines it. Whether a name means something of another file's or a variable of the same name
--- is judged by what stands beside it.

local c_source = {}

-- ---------------------------------------------------------------------------- lines

-- The lines as the compiler sees them: without carriage returns, and those that a backslash joins
-- as one. Empty lines follow such a one, so that the numbers stay.
local function join_lines(text)
  local lines, joined, count = {}, "", 0
  for line in (text:gsub("\r\n?", "\n") .. "\n"):gmatch "(.-)\n" do
    if line:find "\\$" then
      joined, count = joined .. line:sub(1, -2), count + 1
    else
      lines[#lines + 1] = joined .. line
      for _ = 1, count do lines[#lines + 1] = "" end
      joined, count = "", 0
    end
  end
  return lines
end

-- Where a string or a character ends that begins at `at`.
local function end_of_literal(line, at)
  local quote, last = line:sub(at, at), at + 1
  while true do
    local stop = line:find("[\\" .. quote .. "]", last)
    if not stop then return #line end
    if line:sub(stop, stop) == quote then return stop end
    last = stop + 2
  end
end

local HASH = "^%s*[#%%]:?%s*" -- or its digraph
local INCLUDE = HASH .. "include%s*$"

-- A line without comments and without what is in its literals, but with the name of a header; and
-- whether a comment goes on in the next line. `inside`: one has come from the line before.
local function strip(line, inside)
  local kept, at = {}, 1
  local function keep(text, length)
    kept[#kept + 1] = text
    at = at + length
  end
  while at <= #line do
    local pair = line:sub(at, at + 1)
    if inside then
      local _, last = line:find("*/", at, true)
      inside, at = not last, (last or #line) + 1
    elseif pair == "/*" then
      inside = true
      keep(" ", 2)
    elseif pair == "//" then
      break
    else
      local header = pair:find '^[<"]' and table.concat(kept):find(INCLUDE)
        and line:match('^[<"][^>"]*[>"]', at)
      if header then
        keep(header, #header)
      elseif pair:find "^[\"']" then
        keep('""', end_of_literal(line, at) - at + 1)
      else
        local plain = line:match("^[^\"'/<]+", at) or line:sub(at, at)
        keep(plain, #plain)
      end
    end
  end
  return table.concat(kept), inside
end

-- ---------------------------------------------------------------------------- tokens

-- Attributes are none: what is in them is the compiler's.
local TOKENS = { "^[%a_][%w_]*", "^%.?%d[%w_.]*", "^%->", "^##", "^%S" }
local ATTRIBUTE = "%f[%w_]__attribute__%s*%b()"

local function add_tokens(list, line, number)
  line = line:gsub(ATTRIBUTE, "")
  local at = line:find "%S"
  while at do
    local text
    for _, pattern in ipairs(TOKENS) do
      text = text or line:match(pattern, at)
    end
    list[#list + 1] = { text = text, line = number }
    at = line:find("%S", at + #text)
  end
end

local BRANCHES = {
  ["if"] = "if", ["ifdef"] = "if", ["ifndef"] = "if",
  ["elif"] = "else", ["else"] = "else", ["endif"] = "endif",
}

-- source: includes, macros (the tokens of each), tokens, and branches: which directives of an #if
-- stand before the token of a number.
local function read_directive(source, line, number)
  local name, rest = line:match(HASH .. "([%a_]*)(.*)")
  if name == "define" then
    local macro = {}
    add_tokens(macro, rest, number)
    source.macros[#source.macros + 1] = macro
  elseif BRANCHES[name] then
    local before = #source.tokens + 1
    source.branches[before] = source.branches[before] or {}
    table.insert(source.branches[before], BRANCHES[name])
  elseif name:find "^include" or name == "import" or name == "embed" then
    local kind, header = rest:match '^%s*([<"])%s*([^>"]-)%s*[>"]'
    table.insert(source.includes,
      { line = number, quoted = kind == '"', header = name == "include" and header })
  end
end

local function read_lines(text)
  local source = { includes = {}, macros = {}, tokens = {}, branches = {} }
  local inside = false
  for number, line in ipairs(join_lines(text)) do
    line, inside = strip(line, inside)
    if line:find "^%s*#" or line:find "^%s*%%:" then
      read_directive(source, line, number)
    else
      add_tokens(source.tokens, line, number)
    end
  end
  return source
end

-- ---------------------------------------------------------------------------- declarations

-- Calls `found` with the texts of each declaration outside of functions, and whether it is a
-- function's definition. Of what is in braces it has the first one only. An #else goes on with the
-- braces that were open at its #if.
local function each_declaration(source, found)
  local depth, parentheses, texts, saved = 0, 0, {}, {}
  local is_function = false
  local function finish()
    if #texts > 0 then found(texts, is_function) end
    texts, parentheses, is_function = {}, 0, false
  end
  for i, token in ipairs(source.tokens) do
    for _, branch in ipairs(source.branches[i] or {}) do
      if branch == "if" then saved[#saved + 1] = depth end
      if branch == "else" then depth = saved[#saved] or depth end
      if branch == "endif" then saved[#saved] = nil end
    end
    local text = token.text
    if text == "{" then
      if depth == 0 then
        is_function = texts[#texts] == ")" and parentheses == 0
          and not table.concat(texts, " "):find "="
        texts[#texts + 1] = text
      end
      depth = depth + 1
    elseif text == "}" then
      depth = math.max(depth - 1, 0)
      if depth == 0 and is_function then finish() end
    elseif depth == 0 and text == ";" then
      finish()
    elseif depth == 0 then
      parentheses = parentheses + (text == "(" and 1 or text == ")" and -1 or 0)
      texts[#texts + 1] = text
    end
  end
end

local function set_of(words)
  local set = {}
  for word in words:gmatch "%S+" do set[word] = true end
  return set
end

local TAGS = set_of "struct union enum"
local NO_TYPES = set_of "return else goto case sizeof do _Alignof" -- may stand before a value
local NO_NAMES = set_of [[_Alignas _Static_assert __typeof__ void char short int long float double
  signed unsigned _Bool _Complex const volatile restrict inline static extern register typedef if
  while for switch]]

local function is_word(text)
  return text and text:find "^[%a_]" ~= nil
end

-- The name of the function that a declaration is about, and where in it; nil when it is about none.
local function function_name(texts)
  for i, text in ipairs(texts) do
    if text == "=" or text == "{" then return nil end
    local one, two, three = texts[i + 1], texts[i + 2], texts[i + 3]
    local is_bare = one == "(" and two ~= "*" and not (is_word(two) and three == ")"
      and texts[i + 4] == "(") -- int (f)(void) is about f
    local is_wrapped = texts[i - 1] == "(" and one == ")" and two == "("
    if is_word(text) and not NO_NAMES[text] and (is_bare or is_wrapped) then return text, i end
  end
end

-- Calls `found` with each variable that a declaration without a function's parameters declares.
local function each_variable(texts, found)
  local depth, in_value = 0, false
  for i, text in ipairs(texts) do
    local before, after = texts[i - 1], texts[i + 1]
    if depth == 0 and text == "=" then in_value = true end
    if depth == 0 and text == "," then in_value = false end
    if text == "(" or text == "[" then depth = depth + 1 end
    if text == ")" or text == "]" then depth = depth - 1 end
    local is_plain = depth == 0 and (not after or after:find "^[%[=,]")
    local is_pointer = depth == 1 and before == "*" and (after == ")" or after == "[")
    if is_word(text) and not in_value and before and not TAGS[before]
      and (is_plain or is_pointer) then
      found(text)
    end
  end
end

local function has(texts, word)
  for _, text in ipairs(texts) do
    if text == word then return true end
    if text == "(" or text == "{" then return false end
  end
  return false
end

-- Fills `defined` with the names that others can use, and `own` with those of static functions.
local function read_declaration(texts, is_function, defined, own)
  local is_static = has(texts, "static") or has(texts, "typedef")
  local name, at = function_name(texts)
  if not name then
    if not is_static and (not has(texts, "extern") or table.concat(texts, " "):find " = ") then
      each_variable(texts, function(variable) defined[variable] = true end)
    end
  elseif is_static then
    own[name] = true
  elseif is_function then
    defined[name] = true
    -- Without a type before it, it is a macro that makes the function from what it is given.
    for i = at, at == 1 and #texts or 0 do
      if is_word(texts[i]) and not NO_NAMES[texts[i]] then defined[texts[i]] = true end
    end
  end
end

-- ---------------------------------------------------------------------------- uses

-- Whether the word at `i` is a variable, a parameter or a member that is declared there; "called"
-- for a pointer to a function.
local function is_declared(tokens, i)
  local function text(offset)
    local token = tokens[i + offset]
    return token and token.text
  end
  local function is_type(offset)
    return is_word(text(offset)) and not NO_TYPES[text(offset)]
  end
  if text(-1) == "*" and text(-2) == "(" and text(1) == ")" and text(2) == "(" then
    return (is_type(-3) or text(-3) == "*") and "called"
  end
  local after = text(1) or ""
  if text(-1) == "," then return after:find "^[;=%[]" end -- int a, b;
  return after:find "^[;,=)%[:]" and not TAGS[text(-1)]
    and (is_type(-1) or text(-1) == "*" or text(-1) == "}")
end

local function note_declared(tokens, own, variables)
  for i, token in ipairs(tokens) do
    local declared = is_word(token.text) and is_declared(tokens, i)
    if declared == "called" then own[token.text] = true end
    if declared then variables[token.text] = true end
  end
end

local MEMBER = set_of "-> . struct union enum goto"

local function add_uses(uses, tokens, own, variables)
  for i, token in ipairs(tokens) do
    local before, after = tokens[i - 1], tokens[i + 1]
    before, after = before and before.text, after and after.text
    local is_called = after == "(" or before == "(" and after == ")"
      and tokens[i + 2] and tokens[i + 2].text == "("
    local is_theirs = is_word(token.text) and not MEMBER[before] and not own[token.text]
      and (is_called or not variables[token.text])
    if is_theirs or token.text == "##" then
      uses[#uses + 1] = { name = token.text, line = token.line }
    end
  end
end

--- Returns { includes, uses, defined } for the text of a file.
--- includes: a list of { line, header, quoted }; header is false where no name is written out.
--- uses: a list of { line, name } of names that may be another file's, and of ##.
--- defined: { [name] = true } for each function and variable that is not static.
function c_source.read(text)
  local source, defined, own, variables, uses = read_lines(text), {}, {}, {}, {}
  each_declaration(source, function(texts, is_function)
    read_declaration(texts, is_function, defined, own)
  end)
  local lists = { source.tokens, table.unpack(source.macros) }
  for _, tokens in ipairs(lists) do note_declared(tokens, own, variables) end
  for _, tokens in ipairs(lists) do add_uses(uses, tokens, own, variables) end
  return { includes = source.includes, uses = uses, defined = defined }
end

return c_source
