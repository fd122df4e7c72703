local chance = require "support.chance"
local core = require("core_binding").queue

local function queue_of(...)
  local queue = core.new()
  for _, data in ipairs { ... } do
    assert(queue:push(data))
  end
  return queue
end

-- Takes everything off the queue.
local function drain(queue)
  local seen = {}
  for data in queue.peek, queue do
    seen[#seen + 1] = data
    queue:sent()
  end
  return seen
end

describe("the queue", function()
  it("hands messages out in their order, with what was given for them", function()
    local queue = core.new()
    queue:push("a", false, 1.5)
    queue:push("", true)
    assert.same({ "a", false, 1.5 }, { queue:peek() })
    assert.same({ "a", false, 1.5 }, { queue:peek() })
    queue:sent()
    assert.same({ "", true, math.huge }, { queue:peek() })
    queue:sent()
    assert.is_nil(queue:peek())
  end)

  it("counts messages and payload bytes, waiting and sent apart", function()
    local queue = queue_of("one", "three", "")
    assert.same({ 3, 8, 0, 0 }, { queue:counters() })
    queue:sent(true)
    assert.same({ 2, 5, 1, 3 }, { queue:counters() })
    queue:sent(false)
    assert.same({ 1, 0, 1, 3 }, { queue:counters() })
    queue:confirm(1)
    assert.same({ 1, 0, 0, 0 }, { queue:counters() })
  end)

  it("holds messages larger than any block, between small ones", function()
    local large = ("x"):rep(300000)
    assert.same({ "a", large, "b", large, "c" }, drain(queue_of("a", large, "b", large, "c")))
  end)

  it("gives kept messages out again, in order and first, after a rewind", function()
    local queue = queue_of("1", "2", "3", "4")
    for _ = 1, 3 do
      queue:sent(true)
    end
    queue:confirm(1)
    queue:rewind()
    assert.same({ 3, 3, 0, 0 }, { queue:counters() })
    assert.same({ "2", "3", "4" }, drain(queue))
  end)

  it("confirms no more than was sent", function()
    local queue = queue_of("1", "2")
    queue:sent(true)
    queue:confirm(10)
    assert.same({ 1, 1, 0, 0 }, { queue:counters() })
    assert.equal("2", queue:peek())
  end)

  it("drops a message behind kept ones, which stay", function()
    local queue = queue_of("kept", "dropped", "last")
    queue:sent(true)
    assert.True(queue:drop())
    assert.equal("last", queue:peek())
    assert.same({ 1, 4, 1, 4 }, { queue:counters() })
    queue:rewind()
    assert.same({ "kept", "last" }, drain(queue))
    assert.False(queue:drop())
  end)

  it("does not drop a message that is part-way out, but the one after it", function()
    local queue = queue_of("begun", "dropped", "last")
    queue:begin()
    assert.True(queue:drop())
    assert.equal("begun", queue:peek())
    assert.same({ 2, 9, 0, 0 }, { queue:counters() })
    assert.True(queue:drop())
    assert.False(queue:drop())
    assert.equal("begun", queue:peek())
    queue:push "new"
    queue:sent(true)
    assert.equal("new", queue:peek())
    queue:rewind()
    assert.same({ "begun", "new" }, drain(queue))
  end)

  it("gives a message that was part-way out again from its beginning after a rewind", function()
    local queue = queue_of("sent", "begun", "next")
    queue:sent(true)
    queue:begin()
    queue:begin() -- once more changes nothing
    queue:rewind()
    assert.True(queue:drop())
    assert.same({ "begun", "next" }, drain(queue))
  end)

  it("drops no message that stays, but the one behind it, and says when that one expires", function()
    local queue = core.new()
    assert.equal(math.huge, queue:expiry())
    queue:push("first", false, math.huge, true)
    assert.equal(math.huge, queue:expiry())
    assert.False(queue:drop())
    queue:push("1", false, 5)
    queue:push("2", false, 7)
    assert.equal(5, queue:expiry())
    assert.True(queue:drop())
    assert.equal(7, queue:expiry())
    assert.same({ 2, 6, 0, 0 }, { queue:counters() })
    assert.same({ "first", "2" }, drain(queue))
  end)

  it("discards all that has not begun to go out, what stays included", function()
    local queue = core.new()
    queue:push("kept", false, math.huge, true)
    queue:sent(true)
    queue:push("begun", false, math.huge, true)
    queue:begin()
    for _ = 1, 3 do queue:push("first", false, math.huge, true) end
    for _ = 1, 300 do queue:push "behind" end
    assert.equal(303, queue:discard())
    assert.equal(0, queue:discard())
    queue:rewind()
    assert.same({ "kept", "begun" }, drain(queue))
  end)

  it("takes another queue in at its head", function()
    local queue, front = queue_of("3", "4"), queue_of("1", "2")
    queue:prepend(front)
    assert.same({ 0, 0, 0, 0 }, { front:counters() })
    assert.is_nil(front:peek())
    assert.same({ 4, 4, 0, 0 }, { queue:counters() })
    assert.same({ "1", "2", "3", "4" }, drain(queue))
    assert.True(front:push "works on")
  end)

  it("prepends to and from queues that are empty or were emptied", function()
    local function emptied()
      local queue = queue_of("gone")
      queue:sent()
      return queue
    end
    for _, make in ipairs { core.new, emptied } do
      local queue = make()
      queue:prepend(queue_of("1"))
      queue:prepend(make())
      queue:push "2"
      assert.same({ "1", "2" }, drain(queue))
    end
  end)

  it("says how many messages a clear removed, kept ones included, and can be used again", function()
    local queue = queue_of("1", "2", "3")
    queue:sent(true)
    queue:sent(false)
    assert.equal(2, queue:clear())
    assert.same({ 0, 0, 0, 0 }, { queue:counters() })
    assert.is_nil(queue:peek())
    queue:push "4"
    assert.same({ "4" }, drain(queue))
  end)

  it("refuses a message that no memory can hold, and is as it was", function()
    local queue = queue_of("1")
    for less = 0, 100 do
      assert.False(queue:push_more_than_memory(less))
    end
    assert.same({ 1, 1, 0, 0 }, { queue:counters() })
    assert.same({ "1" }, drain(queue))
  end)

  it("takes calls that have no message to work on", function()
    local queue = core.new()
    queue:begin()
    queue:sent(true)
    queue:confirm(1)
    queue:rewind()
    assert.False(queue:drop())
    assert.equal(0, queue:clear())
  end)
end)

-- The same in Lua: two lists, and whether the first waiting message is begun.
local function new_model()
  return { waiting = {}, sent = {}, begun = false }
end

local function bytes_of(list)
  local sum = 0
  for _, message in ipairs(list) do
    sum = sum + #message.data
  end
  return sum
end

local function random_message()
  local size = math.random(0, math.random(3) == 1 and 2000 or 20)
  if math.random(100) == 1 then
    size = math.random(60000, 70000)
  end
  return {
    data = string.char(math.random(0, 255)):rep(size),
    binary = math.random(2) == 1,
    expires = math.random(),
  }
end

local operations = {
  push = function(queue, model)
    local message = random_message()
    assert(queue:push(message.data, message.binary, message.expires))
    table.insert(model.waiting, message)
  end,
  sent = function(queue, model, keep)
    queue:sent(keep)
    local message = table.remove(model.waiting, 1)
    if message and keep then
      table.insert(model.sent, message)
    end
    model.begun = false
  end,
  begin = function(queue, model)
    queue:begin()
    model.begun = #model.waiting > 0
  end,
  drop = function(queue, model)
    local message = table.remove(model.waiting, model.begun and 2 or 1)
    assert.equal(message ~= nil, queue:drop())
  end,
  confirm = function(queue, model)
    local count = math.random(0, 5)
    queue:confirm(count)
    for _ = 1, count do
      table.remove(model.sent, 1)
    end
  end,
  rewind = function(queue, model)
    queue:rewind()
    model.waiting = table.move(model.waiting, 1, #model.waiting, #model.sent + 1, model.sent)
    model.sent, model.begun = {}, false
  end,
  prepend = function(queue, model)
    if #model.sent > 0 or model.begun then
      return
    end
    local front = core.new()
    local messages = {}
    for i = 1, math.random(0, 3) do
      messages[i] = random_message()
      assert(front:push(messages[i].data, messages[i].binary, messages[i].expires))
    end
    queue:prepend(front)
    model.waiting = table.move(model.waiting, 1, #model.waiting, #messages + 1, messages)
    assert.is_nil(front:peek())
  end,
  clear = function(queue, model)
    assert.equal(#model.waiting + #model.sent, queue:clear())
    model.waiting, model.sent, model.begun = {}, {}, false
  end,
}

-- Growing, shrinking, and one that seldom confirms.
local moods = {
  { "push", 8, "sent", 3, "keep", 3, "confirm", 1, "drop", 1, "begin", 1, "prepend", 1 },
  { "push", 3, "sent", 4, "keep", 4, "confirm", 4, "drop", 2, "begin", 1, "rewind", 1 },
  { "push", 8, "keep", 2, "drop", 8, "begin", 2, "confirm", 1 },
  { "rewind", 1, "clear", 1, "push", 2 },
}

local function pick(mood)
  local names = {}
  for i = 1, #mood, 2 do
    for _ = 1, mood[i + 1] do
      names[#names + 1] = mood[i]
    end
  end
  return names[math.random(#names)]
end

describe("a queue and its model", function()
  it("agree after any operations", chance(function()
    for _ = 1, 25 do
      local queue, model = core.new(), new_model()
      local mood
      for step = 1, 800 do
        if step % 100 == 1 then
          mood = moods[math.random(3)]
        end
        local name = pick(math.random(150) == 1 and moods[4] or mood)
        if name == "keep" then
          operations.sent(queue, model, true)
        else
          operations[name](queue, model)
        end
        local waiting, waiting_bytes, sent, sent_bytes = queue:counters()
        assert(waiting == #model.waiting and sent == #model.sent, name)
        assert(waiting_bytes == bytes_of(model.waiting), name)
        assert(sent_bytes == bytes_of(model.sent), name)
        local head = model.waiting[1] or {}
        local data, binary, expires = queue:peek()
        assert(data == head.data and binary == head.binary and expires == head.expires, name)
      end
      operations.rewind(queue, model)
      for i, data in ipairs(drain(queue)) do
        assert(data == model.waiting[i].data, "order")
      end
    end
  end))
end)
