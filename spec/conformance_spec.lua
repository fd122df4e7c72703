-- steadysocket by the rules of RFC 6455 and RFC 7692, case by case (spec/conformance), and that
-- docs/conformance.md, which has other clients beside it, is about the same cases.

local cases = require "conformance.cases"
local child = require "support.child"
local client = require "conformance.client"
local judge = require "conformance.judge"
local page = require "conformance.page"
local server = require "conformance.server"
local watched = require "support.watched"

local PAGE = "docs/conformance.md"

local run -- { server, told }: what came of all cases

-- What is not as it should be, by the names of the cases.
local function differences(row, fits)
  local list = {}
  for _, case in ipairs(row.cases) do
    if fits(case) then
      for _, one in ipairs(judge.differences(case, run.server.records[case], run.told[case])) do
        table.insert(list, ("%s: %s (%s)"):format(case.name or "", one.what, run.told[case].error))
      end
    end
  end
  return list
end

describe("conformance:", function()
  setup(function()
    local playing = server.start(cases.all)
    run = { server = playing, told = client.run(playing) }
  end)

  teardown(watched.end_all)

  it("the server has played every case to its end", function()
    assert.same({}, run.server.faults)
    for _, case in ipairs(cases.all) do assert.is_true(run.server.records[case].over) end
  end)

  for _, section in ipairs(cases.sections) do
    describe(section.title:lower() .. ":", function()
      for _, row in ipairs(section) do
        it(("%s (RFC %s section %s)"):format(row.rule, row.rfc, row.section), function()
          assert.same({}, differences(row, function(case) return not case.either end))
        end)
      end
    end)
  end

  it("no key of the handshake comes twice", function()
    local seen = {}
    for _, case in ipairs(cases.all) do
      local key = run.server.records[case].request.headers["sec-websocket-key"]
      assert.is_nil(seen[key])
      seen[key] = true
    end
  end)

  -- Of some 8,000 keys of 32 bits two are alike once in a hundred runs, four pairs once in 10^9.
  it("no mask comes twice, in whatever connection", function()
    local seen, count, twice = {}, 0, 0
    for _, case in ipairs(cases.all) do
      for _, frame in ipairs(run.server.records[case].frames) do
        count = count + 1
        if seen[frame.key] then twice = twice + 1 end
        seen[frame.key] = true
      end
    end
    assert.is_true(count > 5000)
    assert.is_true(twice < 4, twice .. " masks came twice")
  end)

  it("masks are what OpenSSL's generator gives, and no function of it", function()
    local source = debug.getinfo(1, "S").source:match "^@(.*)/" .. "/support/counted_random.c"
    local shim = os.tmpname()
    assert(os.execute(("LD_PRELOAD= cc -shared -fPIC -o %s %s"):format(shim, source)))
    local preload = ((os.getenv "LD_PRELOAD" or "") .. ":" .. shim):gsub("^:", "")
    local result = child.run([[
      local Peer = require "support.peer"
      local watched = require "support.watched"
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:welcome()
      for _ = 1, 2000 do client.ws:send "" end
      for _ = 1, 2000 do print(((">I4"):unpack(conn:receive_frame().key))) end
      watched.end_all()
    ]], {}, { environment = "LD_PRELOAD=" .. preload })
    os.remove(shim)
    assert.equal("", result.err)
    local last
    for number in result.out:gmatch "%d+" do
      assert.is_true(not last or tonumber(number) == last + 1, number)
      last = tonumber(number)
    end
    assert.is_true(last >= 2000)
  end)

  describe(PAGE, function()
    local lines = {}

    setup(function()
      for line in io.lines(PAGE) do lines[#lines + 1] = line end
    end)

    local function line_that_begins(text)
      for _, line in ipairs(lines) do
        if line:sub(1, #text) == text then return line end
      end
    end

    it("has every section, rule and case, and no others", function()
      local expected, found = {}, {}
      for _, section in ipairs(cases.sections) do
        table.insert(expected, "## " .. section.title)
        for _, row in ipairs(section) do table.insert(expected, page.rule(row)) end
        for _, row in ipairs(section) do table.insert(expected, page.cases(row)) end
      end
      local inside = false
      for _, line in ipairs(lines) do
        inside = inside or line:find "^## " ~= nil
        local rule = line:match "^| %d+, [%d.]+ |[^|]+|[^|]+| %d+ |"
        local wanted = rule or line:find "^## " and line or inside and line:find "^%- " and line
        if wanted then table.insert(found, wanted) end
      end
      assert.same(expected, found)
    end)

    it("says what steadysocket does", function()
      assert.is_string(line_that_begins("| " .. page.version() .. " |"), "it is about another version")
      for _, section in ipairs(cases.sections) do
        for _, row in ipairs(section) do
          local rule = page.rule(row)
          assert.equal(page.cell(row, run), line_that_begins(rule):sub(#rule + 1):match "^ ([^|]+) |", rule)
        end
      end
    end)
  end)
end)
