-- Runs steadysocket, Node's ws and Python's websockets through the cases of spec/conformance, and
-- writes what came of them:
--
--   tools/conformance/run.lua NODE_MODULES PAGE
--
-- NODE_MODULES is the directory that has ws; `make conformance` installs it.

package.path = "spec/?.lua;" .. package.path

local cases = require "conformance.cases"
local cjson = require "cjson"
local client = require "conformance.client"
local mime = require "mime"
local page = require "conformance.page"
local server = require "conformance.server"
local turn = require "support.turn"

local modules, target = table.unpack(arg)

local PYTHON = "/usr/bin/python3"
local LIMIT = 300 -- seconds

local function run(command)
  local pipe <close> = assert(io.popen(command))
  return (pipe:read("a"):gsub("%s+$", ""))
end

local function write(path, text)
  local file <close> = assert(io.open(path, "w"))
  file:write(text)
end

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

-- What a client in another process has to know of the cases.
local function told_to_clients()
  local list = {}
  for i, case in ipairs(cases.all) do
    list[i] = {
      protocols = case.protocols,
      compression = case.compression,
      timeout = case.timeout,
      closes = case.closes,
      echo = case.echo,
    }
  end
  return cjson.encode(list)
end

local function decoded(line)
  local told = cjson.decode(line)
  for _, message in ipairs(told.messages) do message[2] = mime.unb64(message[2]) or "" end
  if told.close then
    told.close = { math.tointeger(told.close[1]), mime.unb64(told.close[2]) or "" }
  end
  return told
end

-- Runs a driver while the server plays; returns the server and what the driver's client has told.
local function drive(command)
  local playing = server.start(cases.all)
  local folder = run "mktemp -d"
  write(folder .. "/cases", told_to_clients())
  os.execute(("{ %s %d %s/cases > %s/told 2> %s/errors; echo $? > %s/status; } &"):format(
    command, playing.port, folder, folder, folder, folder))
  turn.till(function()
    local status <close> = io.open(folder .. "/status")
    return status and status:read "l"
  end, command, LIMIT)
  local told = {}
  for line in io.lines(folder .. "/told") do
    local one = decoded(line)
    told[cases.all[one.number]] = one
  end
  io.stderr:write(read(folder .. "/errors"))
  os.execute("rm -r " .. folder)
  return { server = playing, told = told }
end

local function steadysocket()
  local playing = server.start(cases.all)
  return { server = playing, told = client.run(playing) }
end

local node = ("NODE_PATH=%s node"):format(modules)
local columns = {
  { name = "steadysocket", run = steadysocket() },
  { name = "ws", run = drive(node .. " tools/conformance/node_ws.js") },
  { name = "websockets", run = drive(PYTHON .. " tools/conformance/py_websockets.py") },
}
for _, column in ipairs(columns) do
  for _, fault in ipairs(column.run.server.faults) do
    io.stderr:write(column.name, ": ", fault, "\n")
  end
end

local versions = {
  page.version(),
  ("ws %s with bufferutil %s and Node %s"):format(
    run(node .. " -p 'require(\"ws/package.json\").version'"),
    run(node .. " -p 'require(\"bufferutil/package.json\").version'"),
    run "node --version | tr -d v"),
  ("websockets %s with Python %s"):format(
    run(PYTHON .. " -c 'import websockets; print(websockets.__version__)'"),
    run(PYTHON .. " -c 'import platform; print(platform.python_version())'")),
}
write(target, page.write(cases.sections, columns, versions))
