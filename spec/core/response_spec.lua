local response = require("core_binding").response

local function read(...)
  return response.read { ... }
end

local function lines(...)
  return table.concat({ ... }, "\r\n") .. "\r\n\r\n"
end

local SWITCHING = lines("HTTP/1.1 101 Switching Protocols", "Upgrade: websocket")

local function is_bad(text, problem)
  local result = read(text)
  assert.equal("bad", result.part)
  assert.equal(problem, result.problem)
end

describe("The answer to the upgrade", function()
  it("has a status, a reason and headers, with names in lower case", function()
    local result = read(lines("HTTP/1.1 404 Not Found", "Content-Length: 0", "X-ANY-Name:\t a b \t"))
    assert.equal("complete", result.part)
    assert.equal(404, result.status)
    assert.equal("Not Found", result.reason)
    assert.is_false(result.http_1_0)
    assert.same({ ["content-length"] = "0", ["x-any-name"] = "a b" }, result.headers)
  end)

  it("ends with its head when its status is 101: what comes behind is the stream's", function()
    local result = read(SWITCHING .. "\x81\x02hi")
    assert.equal("complete", result.part)
    assert.equal(#SWITCHING, result.used)
  end)

  it("may come in any pieces", function()
    local text = lines("HTTP/1.1 400 Bad Request", "Transfer-Encoding: chunked", "a: 1", " 2", "a: 3")
      .. "5\r\nwrong\r\n1;x=y\r\n!\r\n0\r\n"
    local whole = read(text)
    assert.same({ ["transfer-encoding"] = "chunked", a = "1 2, 3" }, whole.headers)
    assert.equal("wrong!", whole.body)
    for cut = 0, #text do
      assert.same(whole, read(text:sub(1, cut), text:sub(cut + 1)))
    end
    local bytes = {}
    for byte in text:gmatch "." do bytes[#bytes + 1] = byte end
    assert.same(whole, response.read(bytes))
  end)

  it("has its Set-Cookie headers one by one, since their commas separate nothing (RFC 9110 section 5.3)", function()
    local dated = "a=1; Expires=Wed, 09 Jun 2027 10:18:14 GMT"
    local text = lines("HTTP/1.1 101 Yes", "SET-COOKIE: " .. dated, "x: 1", "Set-Cookie: b=2;", " Path=/", "X: 2")
    local whole = read(text)
    assert.same({ ["set-cookie"] = { dated, "b=2; Path=/" }, x = "1, 2" }, whole.headers)
    for cut = 0, #text do
      assert.same(whole, read(text:sub(1, cut), text:sub(cut + 1)))
    end
    assert.same({ ["set-cookie"] = { "" } }, read(lines("HTTP/1.1 101 Yes", "Set-Cookie:")).headers)
  end)

  it("is incomplete until the empty line", function()
    for size = 0, #SWITCHING - 1 do
      assert.equal("head", read(SWITCHING:sub(1, size)).part)
    end
  end)

  it("may have lines that end with LF alone (RFC 9112 section 2.2)", function()
    local result = read "HTTP/1.1 101 Yes\nUpgrade: websocket\n\nrest"
    assert.equal("complete", result.part)
    assert.equal("websocket", result.headers.upgrade)
    assert.equal("Yes", result.reason)
  end)

  it("may have no reason", function()
    assert.equal("", read(lines "HTTP/1.1 200").reason)
    assert.equal("", read(lines "HTTP/1.1 200 ").reason)
  end)

  it("has no more of a long reason than 63 bytes", function()
    assert.equal(("x"):rep(63), read(lines("HTTP/1.1 500 " .. ("x"):rep(1000))).reason)
  end)

  it("comes behind informational responses (RFC 9110 section 15.2)", function()
    local result = read(lines("HTTP/1.1 100 Continue", "a: 1"), lines "HTTP/1.1 103 Early Hints", SWITCHING)
    assert.equal("complete", result.part)
    assert.equal(101, result.status)
    assert.same({ upgrade = "websocket" }, result.headers)
  end)

  it("joins the values of one name with commas, in order (RFC 9110 section 5.3)", function()
    local result = read(lines("HTTP/1.1 101 x", "A: 1", "B: x", "a: 2", "A:", "b: y"))
    assert.same({ a = "1, 2, ", b = "x, y" }, result.headers)
  end)

  it("may fold a header: the next line goes on with its value (RFC 9112 section 5.2)", function()
    local result = read(lines("HTTP/1.1 101 x", "a: 1", "\t 2 ", " 3", "b: 4", "a: 5", " 6"))
    assert.same({ a = "1 2 3, 5 6", b = "4" }, result.headers)
  end)

  it("says when it is of HTTP/1.0", function()
    assert.is_true(read(lines "HTTP/1.0 503 Busy").http_1_0)
  end)

  it("is bad as soon as it cannot be HTTP any more", function()
    for _, text in ipairs {
      "220 mail", "\0", "H\r\n", "HTTP/2", "http/1.1", "HTTP/1.1\r\n",
      "HTTP/1.1 99 x\r\n", "HTTP/1.1 020 x\r\n", "HTTP/1.1 1010 x\r\n", "HTTP/1.1  101 x\r\n",
      "HTTP/1.x 101 x\r\n", "HTTP/1.1 -01 x\r\n", "\r\n",
    } do
      is_bad(text, "is not HTTP/1.1")
    end
    assert.equal("head", read("HTTP/1").part)
  end)

  it("is bad with a line that is no header", function()
    for _, line in ipairs {
      "no colon", ": no name", "a b: blank in the name", "a : blank behind it", "(a): no token",
      " folded: the first",
    } do
      is_bad(lines("HTTP/1.1 101 x", line), "has a line that is no header")
    end
  end)

  it("is bad with control characters in a line, tabs apart", function()
    for _, line in ipairs { "a: \0", "a\0: b", "a: b\rc", "a: b\r", "a: \1", "a: \127" } do
      is_bad(lines("HTTP/1.1 101 x", line), "has a control character in its head")
    end
  end)

  it("is bad with a head of over 16 KiB, be it one line or many", function()
    local begin, limit = "HTTP/1.1 101 x\r\n", 16 * 1024
    is_bad(begin .. "a: " .. ("x"):rep(limit), "has a head of over 16 KiB")
    is_bad(begin .. ("a: x\r\n"):rep(limit // 6), "has a head of over 16 KiB")
    local fits = begin .. "a: " .. ("x"):rep(limit - #begin - 7) .. "\r\n\r\n"
    assert.equal(limit, #fits)
    assert.equal("complete", read(fits).part)
    is_bad((fits:gsub("a:", "aa:")), "has a head of over 16 KiB")
  end)
end)

describe("The body of a refusal", function()
  local function body(headers, ...)
    return read("HTTP/1.1 500 No\r\n" .. headers .. "\r\n\r\n", ...)
  end

  it("is as long as Content-Length says", function()
    assert.equal("body", body("Content-Length: 5", "four").part)
    local result = body("Content-Length: 5", "fo", "ur!and more")
    assert.equal("complete", result.part)
    assert.equal("four!", result.body)
  end)

  it("may come in chunks, with extensions and trailers", function()
    local result = body("Transfer-Encoding: Chunked", "A;x\r\n0123456789\r\n", "2\r\nab\r\n0\r\nt: 1\r\n\r\n")
    assert.equal("complete", result.part)
    assert.equal("0123456789ab", result.body)
  end)

  it("goes on until the end of a connection that the server says it ends", function()
    local result = body("Connection: close", "as long ", "as it takes")
    assert.equal("body", result.part)
    assert.equal("as long as it takes", result.body)
  end)

  it("is not waited for when nothing announces it", function()
    assert.equal("complete", body("a: b").part)
    assert.equal("complete", body("Content-Length: 0").part)
    assert.equal("complete", body("Content-Length: many").part)
    assert.equal("complete", read(lines("HTTP/1.1 204 No Content", "Connection: close")).part)
    assert.equal("complete", read(lines("HTTP/1.1 304 x", "Content-Length: 7")).part)
  end)

  it("is kept up to 4,096 bytes", function()
    for _, headers in ipairs { "Content-Length: 10000", "Connection: close" } do
      local result = body(headers, ("x"):rep(3000), ("y"):rep(3000))
      assert.equal("complete", result.part)
      assert.equal(("x"):rep(3000) .. ("y"):rep(1096), result.body)
    end
    local result = body("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFFFFF\r\n" .. ("x"):rep(5000))
    assert.equal(("x"):rep(4096), result.body)
  end)

  it("ends where its chunks are none", function()
    local result = body("Transfer-Encoding: chunked", "nonsense\r\nabc")
    assert.equal("complete", result.part)
    assert.equal("", result.body)
    assert.equal("complete", body("Transfer-Encoding: chunked", ("0"):rep(20000)).part)
  end)
end)
