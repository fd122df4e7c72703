local Peer = require "support.peer"
local WebSocket = require "steadysocket"
local turn = require "support.turn"
local watched = require "support.watched"

local meet = watched.meet

-- A few turns, in which whatever wants to happen does.
local function let_happen()
  for _ = 1, 5 do turn.once() end
end

local burst, numbers = Peer.burst, Peer.numbers

local function receive(conn, count)
  local list = {}
  for i = 1, count do
    list[i] = conn:receive_text()
  end
  return list
end

describe("a client", function()
  after_each(watched.end_all)

  describe("calls no handler", function()
    it("inside any call", function()
      local inside
      local client, conn, server = meet {
        on_open = function() assert.is_nil(inside) end,
        on_message = function() assert.is_nil(inside) end,
        on_close = function() assert.is_nil(inside) end,
        on_error = function() assert.is_nil(inside) end,
      }
      local ws, on_status = client.ws, client.ws.on_status
      ws.on_status = function(...)
        assert.is_nil(inside)
        on_status(...)
      end
      local function call(name, ...)
        local told = #client.story
        inside = name
        ws[name](ws, ...)
        inside = nil
        assert.equal(told, #client.story, name)
      end
      conn:text "waits to be read"
      for _, name in ipairs { "pause", "resume", "send", "ping" } do call(name, "data") end
      call "reconnect"
      call("connect", "data")
      server:welcome()
      client:await("opens", 2)
      call("close", 1000)
      call "close"
      server.all[2]:cut()
      client:await_status "closed"
      call("send", "data")
      call "reconnect"
      call("connect", "data")
      call "close"
      client:await_status "closed"
    end)
  end)

  describe("tells its story in order: what happened first, then the status", function()
    it("of a connection that is lost and made again", function()
      local client, conn, server = meet()
      conn:text "hello"
      conn:cut()
      server:welcome()
      client:await("opens", 2)
      client.ws:close()
      server.all[2]:receive_close()
      server.all[2]:close(1000)
      server.all[2]:finish()
      client:await_status "closed"
      assert.equal("connecting on_open open on_message on_close waiting connecting on_open open "
        .. "closing on_close closed", client:told())
    end)

    it("of attempts that fail, and the last of them", function()
      local client = watched.connect {
        url = "ws://127.0.0.1:1/",
        reconnect = { min_delay = 0, max_delay = 0, max_attempts = 2 },
      }
      client:await_status "closed"
      assert.equal("connecting on_error waiting connecting on_error closed", client:told())
    end)

    it("of a close before there is a connection", function()
      local client = watched.new { url = "ws://127.0.0.1:1/" }
      client.ws:close()
      client:await_status "closed"
      client.ws:connect()
      client.ws:close()
      turn.till(function()
        return #client.story == 3
      end, "the second end")
      assert.equal("closed connecting closed", client:told())
    end)

    it("with the old status", function()
      local client, conn = meet()
      local seen, on_status = {}, client.ws.on_status
      client.ws.on_status = function(status, old, ws)
        assert.equal(client.ws, ws)
        seen[#seen + 1] = old .. ">" .. status
        on_status(status)
      end
      conn:cut()
      client:await "closes"
      client.ws:close()
      client:await_status "closed"
      assert.same({ "open>waiting", "waiting>closed" }, seen)
    end)
  end)

  describe("sends", function()
    it("what on_open sends, then connect's data, then what was queued, in order", function()
      local server = Peer.listen()
      local client = watched.new {
        url = server.url,
        on_open = function(_, ws)
          ws:send "log in"
          ws:send "subscribe"
        end,
      }
      assert.is_true(client.ws:send "queued 1")
      assert.is_true(client.ws:send("queued 2", "text"))
      assert.is_true(client.ws:connect "first")
      assert.is_true(client.ws:send "queued 3")
      local conn = server:welcome()
      assert.same({ "log in", "subscribe", "first", "queued 1", "queued 2", "queued 3" },
        receive(conn, 6))
    end)

    it("connect's data once, not again on another connection", function()
      local server = Peer.listen()
      local client = watched.connect({
        url = server.url,
        on_open = function(_, ws) ws:send "log in" end,
      }, "first", "binary")
      local conn = server:welcome()
      assert.equal("log in", conn:receive_text())
      assert.equal("first", conn:receive_binary())
      conn:cut()
      conn = server:welcome()
      client.ws:send "next"
      assert.same({ "log in", "next" }, receive(conn, 2))
      client:await("opens", 2)
      let_happen()
      assert.is_false(conn:has_input())
    end)

    it("connect's data also when the first attempts fail", function()
      local server = Peer.listen()
      server:close()
      local client = watched.connect({ url = server.url }, "first")
      client:await("errors", 2)
      server:open_again()
      assert.equal("first", server:welcome():receive_text())
    end)

    it("nothing before on_open has run", function()
      local server = Peer.listen()
      local conn
      local client = watched.connect({
        url = server.url,
        on_open = function(_, ws)
          assert.is_false(conn:has_input())
          ws:send "log in"
        end,
      }, "first")
      conn = server:welcome()
      client:await "opens"
      assert.same({ "log in", "first" }, receive(conn, 2))
    end)

    it("text and binary, empty messages too", function()
      local client, conn = meet()
      local binary = "\0\xFF\r\n"
      client.ws:send ""
      client.ws:send("", "binary")
      client.ws:send(binary, "binary")
      client.ws:send("héllo", "text")
      assert.equal("", conn:receive_text())
      assert.equal("", conn:receive_binary())
      assert.equal(binary, conn:receive_binary())
      assert.equal("héllo", conn:receive_text())
      conn:text ""
      conn:binary ""
      conn:binary(binary)
      conn:text "héllo"
      client:await("messages", 4)
      assert.same({
        { data = "", kind = "text" },
        { data = "", kind = "binary" },
        { data = binary, kind = "binary" },
        { data = "héllo", kind = "text" },
      }, client.messages)
    end)

    it("what was sent while the server was down, in order, behind what on_open sends", function()
      local client, conn, server = meet {
        on_open = function(_, ws) ws:send "log in" end,
      }
      assert.equal("log in", conn:receive_text())
      server:close()
      conn:cut()
      client:await "closes"
      for i = 1, 50 do
        assert.is_true(client.ws:send(tostring(i)))
      end
      client:await("errors", 2)
      for i = 51, 100 do
        assert.is_true(client.ws:send(tostring(i)))
      end
      assert.equal(100, client.ws.queued)
      server:open_again()
      conn = server:welcome()
      assert.equal("log in", conn:receive_text())
      assert.same(numbers(1, 100), receive(conn, 100))
      assert.equal(0, client.ws.queued)
      assert.equal(0, client.ws.buffered_amount)
    end)

    it("from a handler at once, in order", function()
      local client, conn = meet {
        on_message = function(data, _, ws) ws:send(data) end,
      }
      conn:send(burst(1, 100))
      assert.same(numbers(1, 100), receive(conn, 100))
      assert.equal(100, #client.messages)
    end)

    it("from another client's handler", function()
      local one, server_of_one = meet()
      local other, server_of_other = meet {
        on_message = function(data) one.ws:send(data) end,
      }
      server_of_other:text "over to you"
      assert.equal("over to you", server_of_one:receive_text())
      assert.equal("open", other.ws.status)
    end)
  end)

  describe("refuses", function()
    it("to connect when it is connected, or on its way", function()
      local server = Peer.listen()
      local client = watched.new { url = server.url, name = "prices", reconnect = { min_delay = 9, jitter = 0 } }
      local function refused()
        local done, message, code = client.ws:connect "again"
        assert.is_nil(done)
        assert.equal("prices: is connected already, or on its way", message)
        assert.equal("already_connected", code)
      end
      client.ws:connect()
      refused()
      local conn = server:welcome()
      client:await "opens"
      refused()
      server:close()
      conn:cut()
      client:await_status "waiting"
      refused()
      assert.equal(0, client.ws.queued)
    end)

    it("to send when it is closing or closed", function()
      local client, conn = meet { name = "prices" }
      client.ws:close()
      for _, status in ipairs { "closing", "closed" } do
        assert.equal(status, client.ws.status)
        assert.same({ n = 3, nil, "prices: is " .. status, "closed" },
          table.pack(client.ws:send "too late"))
        conn:cut()
        client:await_status "closed"
      end
    end)

    it("text that is not UTF-8", function()
      local client, conn = meet()
      for _, bad in ipairs { "\xFF", "a\xC0\x80", "\xED\xA0\x80", ("x"):rep(1000) .. "\xE2\x82" } do
        local done, message, code = client.ws:send(bad)
        assert.is_nil(done)
        assert.matches("the text is not UTF%-8; send it as \"binary\"", message)
        assert.equal("invalid", code)
      end
      assert.equal(0, client.ws.queued)
      assert.is_true(client.ws:send("\xFF", "binary"))
      assert.equal("\xFF", conn:receive_binary())
    end)

    it("to begin with text that is not UTF-8, and stays as it was", function()
      local client = watched.new { url = "ws://127.0.0.1:1/" }
      local done, message, code = client.ws:connect "\xFF"
      assert.is_nil(done)
      assert.matches("the text is not UTF%-8", message)
      assert.equal("invalid", code)
      assert.equal("idle", client.ws.status)
      assert.equal(0, client.ws.queued)
      assert.is_true(client.ws:connect("\xFF", "binary"))
    end)

    it("to reconnect when it is idle or closed", function()
      local client = watched.new { url = "ws://127.0.0.1:1/" }
      for _ = 1, 2 do
        local done, message, code = client.ws:reconnect()
        assert.is_nil(done)
        assert.matches("is not connected", message)
        assert.equal("not_connected", code)
        client.ws:close()
      end
    end)
  end)

  describe("with a queue that is full", function()
    local function full(queue)
      local server = Peer.listen()
      local client = watched.new { url = server.url, queue = queue, name = "prices" }
      return client, server
    end

    local function refused(client, data)
      assert.same({ n = 3, nil, "prices: the queue is full", "queue_full" },
        table.pack(client.ws:send(data)))
    end

    it("refuses a message over max_bytes, and takes one that fits", function()
      local client, server = full { max_bytes = 10 }
      assert.is_true(client.ws:send "12345")
      refused(client, "123456")
      assert.is_true(client.ws:send "12345")
      refused(client, "1")
      assert.is_true(client.ws:send "")
      client.ws:connect()
      assert.same({ "12345", "12345", "" }, receive(server:welcome(), 3))
      assert.is_true(client.ws:send "1234567890")
    end)

    it("refuses a message over max_messages", function()
      local client, server = full { max_messages = 2 }
      assert.is_true(client.ws:send "1")
      assert.is_true(client.ws:send "2")
      refused(client, "3")
      client.ws:connect()
      local conn = server:welcome()
      assert.same({ "1", "2" }, receive(conn, 2))
      client:await "opens"
      assert.is_true(client.ws:send "4")
      assert.equal("4", conn:receive_text())
    end)

    it("drops the oldest ones for new ones when told so", function()
      local client, server = full { max_bytes = 10, overflow = "drop_oldest" }
      for _, data in ipairs { "11111", "222", "33", "4444", "5" } do
        assert.is_true(client.ws:send(data))
      end
      assert.equal(10, client.ws.buffered_amount)
      assert.equal("message_size", select(3, client.ws:send(("x"):rep(11))))
      assert.equal(4, client.ws.queued)
      client.ws:connect()
      assert.same({ "222", "33", "4444", "5" }, receive(server:welcome(), 4))
    end)

    it("drops the oldest ones over max_messages when told so", function()
      local client, server = full { max_messages = 3, overflow = "drop_oldest" }
      for i = 1, 10 do
        assert.is_true(client.ws:send(tostring(i)))
      end
      client.ws:connect()
      assert.same({ "8", "9", "10" }, receive(server:welcome(), 3))
    end)

    it("refuses everything when it has no room at all", function()
      local none = full { max_messages = 0, overflow = "drop_oldest" }
      refused(none, "")
      local empty = full { max_bytes = 0 }
      local done, message, code = empty.ws:send "1"
      assert.is_nil(done)
      assert.equal("prices: the message is larger than queue.max_bytes, 1 > 0 bytes", message)
      assert.equal("message_size", code)
      assert.is_true(empty.ws:send "")
    end)
  end)

  describe("when it is closed by the user", function()
    it("drops what is queued, while connecting or waiting", function()
      local client = watched.new { url = "ws://127.0.0.1:1/", reconnect = { min_delay = 9, jitter = 0 } }
      for _, status in ipairs { "idle", "connecting", "waiting" } do
        if status ~= "idle" then client.ws:connect() end
        if status == "waiting" then client:await_status "waiting" end
        client.ws:send "dropped"
        client.ws:close()
        assert.equal("closing", client.ws.status)
        assert.equal(0, client.ws.queued)
        client:await_status "closed"
        assert.same({}, client.closes)
        client.ws:connect()
        client.ws:close()
        client:await_status "closed"
        if status == "idle" then client = watched.new { url = "ws://127.0.0.1:1/" } end
      end
    end)

    it("can be connected again, and starts anew", function()
      local client, conn, server = meet()
      client.ws:close()
      conn:receive_close()
      conn:close(1000)
      conn:finish()
      client:await_status "closed"
      assert.is_true(client.ws:connect "again")
      assert.equal("again", server:welcome():receive_text())
      assert.is_false(client:await("opens", 2).reconnected)
    end)

    it("does not reconnect", function()
      local client, conn, server = meet { reconnect = { min_delay = 0, max_delay = 0 } }
      client.ws:close()
      conn:receive_close()
      conn:cut()
      client:await_status "closed"
      turn.never(function()
        return server:arrivals() > 1
      end, "another connection", 0.05)
    end)
  end)

  describe("that is paused", function()
    it("gets no message until it is resumed, then all in order", function()
      local client, conn = meet()
      client.ws:pause()
      conn:send(burst(1, 100))
      turn.never(function()
        return client.messages[1]
      end, "a message", 0.05)
      client.ws:resume()
      client:await("messages", 100)
      assert.same(numbers(1, 100), client:data())
    end)

    it("in the middle of a burst gets nothing more of it", function()
      local client, conn = meet {
        on_message = function(data, _, ws)
          if tonumber(data) % 10 == 0 then ws:pause() end
        end,
      }
      conn:send(burst(1, 100))
      for last = 10, 100, 10 do
        client:await("messages", last)
        let_happen()
        assert.equal(last, #client.messages)
        client.ws:resume()
      end
      let_happen()
      assert.same(numbers(1, 100), client:data())
    end)

    it("and resumed in the same handler misses nothing", function()
      local client, conn = meet {
        on_message = function(_, _, ws)
          ws:pause()
          ws:resume()
        end,
      }
      conn:send(burst(1, 100))
      client:await("messages", 100)
      assert.same(numbers(1, 100), client:data())
    end)

    it("goes on sending", function()
      local client, conn = meet()
      client.ws:pause()
      client.ws:send "still here"
      assert.equal("still here", conn:receive_text())
    end)

    it("is closed without waiting, and hears no message by that", function()
      local client, conn = meet { close_timeout = 60 }
      client.ws:pause()
      conn:send(burst(1, 100))
      client.ws:close()
      assert.equal(1000, conn:receive_close())
      conn:text "late"
      conn:close(1000)
      conn:finish()
      client:await_status "closed"
      assert.is_true(client.closes[1].clean)
      assert.same({}, client.messages)
    end)

    it("and closed notices that the connection is gone", function()
      local client, conn = meet { close_timeout = 60 }
      client.ws:pause()
      client.ws:close()
      conn:receive_close()
      conn:cut()
      client:await_status "closed"
      assert.is_false(client.closes[1].clean)
    end)

    it("holds the server back", function()
      local client, conn = meet()
      client.ws:pause()
      local large = Peer.encode("binary", ("x"):rep(1 << 20))
      local ok = pcall(function()
        for _ = 1, 64 do conn:send(large, 0.2) end
      end)
      assert.is_false(ok, "the server could send 64 MB to a client that does not read")
      assert.same({}, client.messages)
      client.ws:resume()
      client:await "messages"
    end)

    it("gets what had come before its connection was lost, and then hears of the loss", function()
      local client, conn, server = meet()
      client.ws:pause()
      conn:send(burst(1, 3))
      conn:close(1001, "restarting")
      conn:finish()
      let_happen()
      assert.same({}, client.messages)
      client.ws:resume()
      client:await "closes"
      assert.same(numbers(1, 3), client:data())
      assert.equal(1001, client.closes[1].code)
      assert.equal("peer", client.closes[1].by)
      server:welcome()
      client:await("opens", 2)
    end)

    it("can be closed", function()
      local client, conn = meet()
      client.ws:pause()
      conn:send(burst(1, 3))
      client.ws:close()
      conn:receive_close()
      conn:finish()
      client.ws:resume()
      client:await_status "closed"
    end)

    it("before it is connected starts to read when it is resumed", function()
      local server = Peer.listen()
      local client = watched.new { url = server.url }
      client.ws:pause()
      client.ws:connect()
      server:welcome { extra = burst(1, 3) }
      client:await "opens"
      let_happen()
      assert.same({}, client.messages)
      client.ws:resume()
      client:await("messages", 3)
    end)
  end)

  describe("among others", function()
    it("has its own connection, messages and delays", function()
      local pairs_of_ends = {}
      for i = 1, 20 do
        local client, conn = meet { name = tostring(i) }
        pairs_of_ends[i] = { client = client, conn = conn }
      end
      for i, ends in ipairs(pairs_of_ends) do
        ends.conn:text("to " .. i)
        ends.client.ws:send("from " .. i)
      end
      for i, ends in ipairs(pairs_of_ends) do
        assert.equal("from " .. i, ends.conn:receive_text())
        assert.equal("to " .. i, ends.client:await("messages").data)
      end
      for i = 1, 20, 2 do
        pairs_of_ends[i].client.ws:close(1000, tostring(i))
        pairs_of_ends[i].conn:receive_close()
        pairs_of_ends[i].conn:cut()
        pairs_of_ends[i].client:await_status "closed"
      end
      for i = 2, 20, 2 do
        pairs_of_ends[i].conn:text "still here"
        pairs_of_ends[i].client:await("messages", 2)
      end
    end)

    it("to one server has a connection of its own", function()
      local server = Peer.listen()
      for i = 1, 5 do
        watched.connect({ url = server.url }, tostring(i))
      end
      local seen = {}
      for i = 1, 5 do
        seen[i] = server:welcome():receive_text()
      end
      table.sort(seen)
      assert.same(numbers(1, 5), seen)
    end)
  end)

  describe("is kept alive", function()
    -- A client that nobody refers to, and a weak table that knows it.
    local function orphan(url, start)
      local weak, seen = setmetatable({}, { __mode = "k" }), {}
      do
        local ws = WebSocket.new { url = url, reconnect = { min_delay = 0.01, max_delay = 0.01 } }
        ws.on_open = function(_, self) seen.opens, seen.ws = (seen.opens or 0) + 1, self end
        ws.on_status = function(status, _, self) seen.status, seen.self = status, self end
        if start then start(ws) end
        weak[ws] = true
      end
      return weak, seen
    end

    local function collect()
      collectgarbage()
      collectgarbage()
    end

    -- Lets go of what the handlers saw; then whether the client is still there.
    local function lives(weak, seen)
      seen.ws, seen.self = nil, nil
      collect()
      return next(weak)
    end

    it("without references while it is active, until it is closed", function()
      local server = Peer.listen()
      local weak, seen = orphan(server.url, function(ws) ws:connect "first" end)
      assert.is_truthy(lives(weak, seen), "connecting")
      local conn = server:welcome()
      assert.equal("first", conn:receive_text())
      turn.till(function() return seen.opens end, "the first connection")
      assert.is_truthy(lives(weak, seen), "open")
      server:close()
      conn:cut()
      turn.till(function() return seen.status ~= "open" end, "the loss")
      assert.is_truthy(lives(weak, seen), "waiting")
      server:open_again()
      conn = server:welcome()
      turn.till(function() return seen.opens == 2 end, "the second connection")
      next(weak):close()
      assert.is_truthy(lives(weak, seen), "closing")
      conn:receive_close()
      conn:finish()
      turn.till(function() return seen.status == "closed" end, "the end")
      let_happen()
      assert.is_nil(lives(weak, seen))
    end)

    it("no longer than it is active, however it ends", function()
      local ends = {
        idle = false,
        ["queued only"] = function(ws) ws:send "queued" end,
        ["closed while idle"] = function(ws) ws:close() end,
        ["closed while connecting"] = function(ws)
          ws:connect()
          ws:close()
        end,
        ["closed twice"] = function(ws)
          ws:close()
          ws:close()
        end,
        ["refused to connect"] = function(ws) ws:connect "\xFF" end,
        paused = function(ws) ws:pause() end,
      }
      for name, start in pairs(ends) do
        local weak, seen = orphan("ws://127.0.0.1:1/", start)
        turn.till(function() return not WebSocket.step(0) end, "the loop to be empty")
        assert.is_nil(lives(weak, seen), name)
      end
    end)

    it("not by a closed client's handlers that refer to it", function()
      local weak = setmetatable({}, { __mode = "k" })
      do
        local ws = WebSocket.new "ws://127.0.0.1:1/"
        ws.on_message = function() return ws end
        ws.on_status = function() return ws end
        ws:close()
        weak[ws] = true
      end
      turn.till(function() return not WebSocket.step(0) end, "the loop to be empty")
      collect()
      assert.is_nil(next(weak))
    end)

    it("through any number of collections while it works", function()
      local server = Peer.listen()
      local client = watched.connect { url = server.url }
      local conn = server:welcome()
      collectgarbage "generational"
      for i = 1, 200 do
        conn:text(tostring(i))
        client.ws:send(tostring(i))
        collectgarbage()
        turn.once()
      end
      collectgarbage "incremental"
      client:await("messages", 200)
      assert.same(numbers(1, 200), client:data())
      assert.same(numbers(1, 200), receive(conn, 200))
    end)
  end)
end)
