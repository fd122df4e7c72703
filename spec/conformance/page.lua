-- docs/conformance.md: the rules in their sections, and what came of them with each client.

local WebSocket = require "steadysocket"
local judge = require "conformance.judge"

local page = {}

local NAMED = 6 -- cases in a cell, at most

--------------------------------------------------------------------------------------------------
-- What came of a case

-- An outcome in words, or nil where it is as asked; and whether it breaks a MUST.
local function outcome(row, case, run)
  local record, told = run.server.records[case], run.told[case] or { messages = {} }
  if case.either then
    return record and (case.outcome or judge.outcome)(record, told) or "nothing", false
  end
  local words, breaks = {}, false
  for i, difference in ipairs(judge.differences(case, record, told)) do
    words[i] = difference.what
    breaks = breaks or difference.breaks
  end
  if #words > 0 then return table.concat(words, ", "), breaks and row.level == "MUST" end
end

-- Outcomes of a row in their order, each with its cases: { words, breaks, cases = { name, ... } }.
local function outcomes(row, run)
  local list, of_words = {}, {}
  for _, case in ipairs(row.cases) do
    local words, breaks = outcome(row, case, run)
    if words and not of_words[words] then
      of_words[words] = { words = words, breaks = breaks, cases = {} }
      table.insert(list, of_words[words])
    end
    if words then table.insert(of_words[words].cases, case.name or "") end
  end
  return list
end

local function names(list)
  if #list <= NAMED then return table.concat(list, ", ") end
  return ("%s and %d more"):format(table.concat(list, ", ", 1, NAMED - 1), #list - NAMED + 1)
end

--- A row's cell for a client: "yes", or what else came, in bold where it breaks a MUST.
function page.cell(row, run)
  local list = outcomes(row, run)
  if #list == 0 then return "yes" end
  local parts = {}
  for i, one in ipairs(list) do
    local words = one.breaks and "**" .. one.words .. "**" or one.words
    local all = #one.cases == #row.cases
    parts[i] = all and words or ("%s (%s)"):format(words, names(one.cases))
  end
  return table.concat(parts, "; ")
end

--- How many cases came out as asked, did otherwise within the standard, and broke a MUST; those
--- where it leaves the choice are not counted.
function page.sum(sections, run)
  local good, other, broken = 0, 0, 0
  for _, section in ipairs(sections) do
    for _, row in ipairs(section) do
      for _, case in ipairs(row.cases) do
        local words, breaks = outcome(row, case, run)
        if not case.either then
          good = good + (words and 0 or 1)
          other = other + (words and not breaks and 1 or 0)
          broken = broken + (breaks and 1 or 0)
        end
      end
    end
  end
  return good, other, broken
end

--------------------------------------------------------------------------------------------------
-- The page

--- What steadysocket is called in the table.
function page.version()
  return "steadysocket " .. WebSocket.version
end

local function reference(row)
  return ("%s, %s"):format(row.rfc, row.section)
end

--- The cells of a row that do not depend on what came of it.
function page.rule(row)
  return ("| %s | %s | %s | %d |"):format(reference(row), row.level, row.rule, #row.cases)
end

--- The cases of a row, by name; nil where there is only one.
function page.cases(row)
  if #row.cases == 1 then return nil end
  local list = {}
  for i, case in ipairs(row.cases) do list[i] = case.name end
  return ("- %s: %s."):format(row.rule, table.concat(list, "; "))
end

local function section_lines(section, columns)
  local lines = { "## " .. section.title, "" }
  local head, rule = "| RFC, section | level | rule | cases |", "|---|---|---|---|"
  for _, column in ipairs(columns) do
    head = ("%s %s |"):format(head, column.name)
    rule = rule .. "---|"
  end
  table.insert(lines, head)
  table.insert(lines, rule)
  local listed = {}
  for _, row in ipairs(section) do
    local line = page.rule(row)
    for _, column in ipairs(columns) do line = ("%s %s |"):format(line, page.cell(row, column.run)) end
    table.insert(lines, line)
    table.insert(listed, page.cases(row))
  end
  table.insert(lines, "")
  if #listed > 0 then
    table.insert(lines, "<details><summary>The cases</summary>")
    table.insert(lines, "")
    table.move(listed, 1, #listed, #lines + 1, lines)
    table.insert(lines, "")
    table.insert(lines, "</details>")
    table.insert(lines, "")
  end
  return lines
end

local INTRODUCTION = [[
# Conformance

What steadysocket does with the rules that RFC 6455 (the WebSocket protocol), RFC 7692 (compression)
and, in the handshake, RFC 9110 and 9112 (HTTP) have for a client, beside two other clients: Node's ws
and Python's websockets.

A [server](../spec/conformance/server.lua) says exactly the bytes of a
[case](../spec/conformance/cases.lua), over TCP on the loopback interface, and writes down every frame
that comes back; the clients are what their users get, not their parts. A case says what has to be
delivered, which frames have to be sent, with which close code a connection has to fail. Every frame
of a client is looked at in every case: its mask, its length, its bits, its UTF-8, what comes behind
its close frame, and its DEFLATE data, which is read by another reader than zlib.

`make conformance` runs all of it and writes this page. The specs run the cases against steadysocket
each time, and compare its column, and the list of cases, with what is here.

- **Level.** MUST, SHOULD and MAY are the standard's. "MUST NOT be sent" binds the server only: the
  standard does not say what a client does with such bytes, so nothing that it does is a breach. The
  strict answer, which is asked for here, is to fail the connection.
- **yes**: all cases of the row came out as the rule says; of a rule that is a MAY, that the client
  does it. Otherwise the cell says what came, and in which cases. What breaks a MUST is **bold**.
- All clients allow messages of 16 MiB, compress messages of any size where compression is agreed on,
  and have no heartbeat. All else is as they come, but for limits of time.
]]

--- The page's text. columns: a list of { name, run = { server, told } }; versions: of the clients.
function page.write(sections, columns, versions)
  local lines = { INTRODUCTION }
  table.insert(lines, "| client | as asked | otherwise, within the standard | breaking a MUST |")
  table.insert(lines, "|---|---|---|---|")
  for i, column in ipairs(columns) do
    table.insert(lines, ("| %s | %d | %d | %d |"):format(versions[i], page.sum(sections, column.run)))
  end
  table.insert(lines, "")
  for _, section in ipairs(sections) do
    local more = section_lines(section, columns)
    table.move(more, 1, #more, #lines + 1, lines)
  end
  return (table.concat(lines, "\n"):gsub("\n+$", "\n"))
end

return page
