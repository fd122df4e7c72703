-- Every order of events of a client, on a loop, a stream and an attempt that are not real: see
-- spec/explore. `make explore SECONDS=600` goes on for longer.

local built = require "support.built"
local child = require "support.child"
local files = require "support.files"

local EXPLORER, TREE = built "explore/explore"
local FOLDER = TREE .. "/explore/broken"

local function run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read "a"
  return pipe:close() ~= nil, output
end

local function explore(program, seconds, events)
  return run(("%s %d %d"):format(child.quote(program), seconds, events))
end

describe("the exploration of a client", function()
  it("finds nothing wrong, with any three events in any order", function()
    local ok, output = explore(EXPLORER, 120, 3)
    assert(ok, output)
    local states = assert(tonumber(output:match "\n3 events: %d+ sequences, %d+ steps, (%d+) states"), output)
    assert(states > 3500, output)
  end)

  it("finds nothing wrong with more, as far as it comes in some seconds", function()
    local ok, output = explore(EXPLORER, 4, 100)
    assert(ok, output)
  end)
end)

-- ---------------------------------------------------------------------------- without a fix

--- A copy of a source in which some lines are others.
local function broken(source, before, after)
  local text = files.read(source)
  local first, last = text:find(before, 1, true)
  assert(first, ("%s has no longer: %s"):format(source, before))
  assert(not text:find(before, last, true), before)
  local copy = FOLDER .. "/" .. source:match "[^/]+$"
  files.write(copy, text:sub(1, first - 1) .. after .. text:sub(last + 1))
  return copy
end

--- The explorer with other files in place of some sources: { [source] = file }.
local function link(others, flags)
  local program = FOLDER .. "/explore"
  local script = { ("compile() { %s; }"):format(files.read(TREE .. "/explore/compile"):gsub("\n$", "")) }
  local objects, without = {}, {}
  for source, file in pairs(others) do
    objects[#objects + 1] = FOLDER .. "/" .. source:gsub("/", "_") .. ".o"
    without[#without + 1] = ("-e %s/explore/obj/%s"):format(TREE, source:gsub("c$", "o"))
    script[#script + 1] = ("compile -w -include spec/explore/substitutes.h %s -c -o %s %s"):format(flags,
      objects[#objects], file)
  end
  script[#script + 1] = ("compile -o %s %s $(find %s/explore/obj -name '*.o' | grep -vFx %s)"):format(program,
    table.concat(objects, " "), TREE, table.concat(without, " "))
  local ok, output = run("LD_PRELOAD= sh -c " .. child.quote(table.concat(script, " && ")))
  assert(ok, output)
  return program
end

local CASES = {
  { "no timer is set to the session's deadline", "src/client/deadlines.c",
    "    {session_deadline, session_due},\n",
    "", "c%->armed <= c%->session%.deadline" },
  { "the attempt does not hear that its time is over", "src/client/deadlines.c",
    "        steady_attempt_time_out(c);\n", "        (void)0;\n", "timed == !isinf%(c%->session%.deadline%)" },
  { "without memory, unread bytes stay in the shared buffer", "src/client/receiving.c",
    "    steady_protocol_forget(&c->link.protocol);\n    steady_link_drop(c);\n", "",
    "link%->protocol%.held%.size" },
  { "time in which the loop was kept from polling counts", "src/client/deadlines.c",
    "    put_off(c);\n    double now", "    double now", "an attempt is given up after [%d.]+ s of connect_timeout" },
  { "a connection is opened whose OPEN event was lost", "src/client/opening.c",
    "    if (tell_open(c, upgrade)) {\n", "    if (tell_open(c, upgrade), true) {\n",
    "state == STEADY_LINK_NEW, !steady_events_empty" },
  { "a turn delivers once only", "src/client/door.c",
    "    while (!steady_events_empty(&c->events) && !steady_loop_is_halted(c->loop) &&\n"
      .. "           ++deliveries < DELIVERIES_A_TURN);", "    while (++deliveries < 0);",
    "events are left at the end of a turn" },
  { "a question that was lost is not asked again", "src/client/deadlines.c",
    "    {steady_sending_repetition_deadline, steady_sending_repeat},\n", "", "hangs" },
  { "our close frame is written to a broken stream", "src/client/sending.c",
    "(can_write(c) && begin_closing(c) && write_some(c))", "(begin_closing(c) && write_some(c))",
    "a write to a stream that cannot take it" },
  { "a peer that takes no pong is not asked for life", "src/client/sending.c",
    "steady_receiving_wanted(c);", "steady_receiving_can_deliver(c);", "a silent peer is not found out" },
  { "what was not confirmed does not go out again", "src/client/link.c",
    "    steady_queue_rewind(&c->queue);\n", "", "steady_outbox_messages" },
  { "an attempt is forgotten and not dropped", "src/client/change.c",
    "        steady_attempt_drop(c);\n", "        steady_attempt_end(c);\n", "1 blocks of memory are lost" },
  { "close() leaves the next attempt to the timer", "src/core/session.c",
    "    case STEADY_SESSION_CLOSE:\n        return closed(session, STEADY_ACTION_NONE);\n    default:\n"
      .. "        return STEADY_ACTION_NONE;\n    }\n}\n\nstatic enum steady_session_action closing",
    "    default:\n        return STEADY_ACTION_NONE;\n    }\n}\n\nstatic enum steady_session_action closing",
    "after close%(%)" },
  { "an attempt that has ended keeps its place", "src/client/attempt.c",
    "    c->attempt.state = STEADY_ATTEMPT_NONE;\n    steady_lobby_leave(&c->shared->lobby, &c->attempt.guest);\n",
    "    c->attempt.state = STEADY_ATTEMPT_NONE;\n", "attempts count as under way" },
  { "a place that is free is given to nobody", "src/client/lobby.c",
    "    if (next)\n        admit(lobby, next);\n", "", "an attempt waits, and there is a place" },
  { "a client at rest is not released", "src/client/door.c",
    "        c->owner->release(c);\n", "", "the loop counts 0 clients" },
}

-- What the judge sees from outside, without the client's own word.
local UNASKED = {
  { 1, "hangs: it is connecting, and no timer is armed" },
  { 2, "hangs: it is connecting, and no timer is armed" },
  { 3, "a message comes that is not the peer's next one" },
  { 5, "nobody greets an open connection" },
}

describe("the exploration of a client", function()
  setup(function() assert(os.execute("mkdir -p " .. FOLDER)) end)
  teardown(function() os.execute("rm -rf " .. FOLDER) end)

  local function finds(case, expected, from_outside)
    local others = {}
    if from_outside then others["src/client/door.c"] = "src/client/door.c" end
    others[case[2]] = broken(case[2], case[3], case[4])
    local program = link(others, from_outside and "-USTEADY_INVARIANTS" or "")
    local ok, output = explore(program, 100, 5)
    assert.is_false(ok)
    assert.match(expected, output)
    assert.match("\nafter\n", output)
  end

  for _, case in ipairs(CASES) do
    it("finds that " .. case[1], function() finds(case, case[5]) end)
  end

  for _, case in ipairs(UNASKED) do
    local broken_case = CASES[case[1]]
    it(("finds from outside that %s"):format(broken_case[1]), function() finds(broken_case, case[2], true) end)
  end
end)
