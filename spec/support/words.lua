-- Sets of words that stand in a text: { [word] = true }.

local words = {}

--- All first captures of a pattern.
function words.all(text, pattern)
  local set = {}
  for word in text:gmatch(pattern) do set[word] = true end
  return set
end

--- A list of them.
function words.sorted(set)
  local list = {}
  for word in pairs(set) do list[#list + 1] = word end
  table.sort(list)
  return list
end

return words
