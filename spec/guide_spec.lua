-- Every block of Lua in docs/guide is a complete program that ends by itself. Here each is run, with
-- servers of ours in place of those it talks to. Directly behind such a block may stand one of kind
-- `output`, all that the program prints, or of kind `error`: then it ends with exit code 1, and its
-- standard error begins with these lines.

local ProxyProcess = require "support.proxy_process"
local Server = require "support.server"
local certs = require "support.certs"
local child = require "support.child"

local GUIDE = "docs/guide"

-- What `python3 -m http.server` says to ws://localhost:8000/feed.
local NOT_FOUND = "HTTP/1.0 404 File not found\r\n"
  .. "Connection: close\r\nContent-Type: text/html;charset=utf-8\r\nContent-Length: 9\r\n\r\nNot found"

local function tls_server(client_ca)
  return Server.start { tls = { cert = certs.good.cert, key = certs.good.key, client_ca = client_ca } }
end

-- What pages name and what takes its place: a path, or a function that starts a server, on another
-- port of the same host, when a program needs it.
local STAND_INS = {
  ["localhost:8080"] = function() return Server.start() end,
  ["localhost:8443"] = function() return tls_server() end,
  ["localhost:8444"] = function() return tls_server(certs.ca) end, -- demands a client's certificate
  ["localhost:3128"] = function() return ProxyProcess.start() end,
  ["localhost:8000"] = function() return ProxyProcess.start(NOT_FOUND) end,
  ['"ca.pem"'] = certs.ca,
  ['"client.pem"'] = certs.client.cert,
  ['"client.key"'] = certs.client.key,
  ['"client-locked.key"'] = certs.client_locked.key,
}

local real = {} -- those that were needed so far, by what pages name

local function stand_in(name)
  local what = STAND_INS[name]
  if not real[name] then
    real[name] = type(what) == "string" and ("%q"):format(what)
      or ("localhost:%d"):format(what().port)
  end
  return real[name]
end

local function replace(text, this, that)
  return (text:gsub(this:gsub("%p", "%%%0"), (that:gsub("%%", "%%%%"))))
end

local function to_real(code)
  for name in pairs(STAND_INS) do
    if code:find(name, 1, true) then code = replace(code, name, stand_in(name)) end
  end
  return code
end

local function to_page(text)
  for name, it in pairs(real) do text = replace(text, it, name) end
  text = text:gsub("/tmp/lua_%w+", "program.lua") -- where child.run puts it
  return (replace(text, child.interpreter() .. ": ", "lua5.4: "))
end

-- The blocks of Lua of a page: { line, code, output = text or nil, error = text or nil }.
local function programs_of(path)
  local programs, program = {}, nil
  local number, kind, lines = 0, nil, nil
  for line in io.lines(path) do
    number = number + 1
    local fence = line:match "^```(.*)$"
    if fence and not kind then
      kind, lines = fence, {}
      if kind == "lua" then
        program = { line = number }
        programs[#programs + 1] = program
      end
    elseif fence then
      local text = table.concat(lines, "\n") .. "\n"
      if kind == "lua" then
        program.code = text
      elseif kind == "output" or kind == "error" then
        assert(program, ("%s, line %d: there is no program before it"):format(path, number))[kind] = text
      else
        program = nil
      end
      kind = nil
    elseif kind then
      lines[#lines + 1] = line
    elseif line:find "%S" then
      program = nil -- what follows is not directly behind it
    end
  end
  return programs
end

-- As many lines of a text as another one has.
local function beginning_as_long_as(other, text)
  local lines = {}
  for line in text:gmatch "[^\n]*\n" do lines[#lines + 1] = line end
  local _, count = other:gsub("\n", "")
  return table.concat(lines, "", 1, math.min(count, #lines))
end

local function pages()
  local listing = assert(io.popen(("ls %s/*.md"):format(GUIDE)))
  local paths = {}
  for path in listing:lines() do paths[#paths + 1] = path end
  listing:close()
  return paths
end

-- Debian has Copas 1.2, which cannot wait; what the guide shows is Copas 4.
local trials = { copas = "assert(require('copas').finished)" }

-- A module that the program needs and that is not there, or is too old.
local function lacking(code)
  for name in code:gmatch "require%s*%(?%s*[\"']([%w_.]+)" do
    local trial = trials[name] or ("require %q"):format(name)
    if not name:find "^steadysocket" and child.run(trial).code ~= 0 then return name end
  end
end

describe("the guide", function()
  teardown(function()
    Server.stop_all()
    ProxyProcess.stop_all()
  end)

  it("has pages", function()
    assert(#pages() > 0)
  end)

  for _, path in ipairs(pages()) do
    for _, program in ipairs(programs_of(path)) do
      local name = ("runs: %s, line %d"):format(path, program.line)
      local missing = lacking(program.code)
      if missing then
        pending(("%s (%s is not there, or is too old)"):format(name, missing))
      else
        it(name, function()
          local result = child.run(to_real(program.code))
          local failure = to_page(result.err)
          if program.error then
            assert.equal(program.error, beginning_as_long_as(program.error, failure))
            assert.equal(1, result.code)
          else
            assert.equal("", failure)
            assert.equal(0, result.code)
          end
          if program.output then assert.equal(program.output, to_page(result.out)) end
        end)
      end
    end
  end
end)
