local core = require("core_binding").retry_after

-- 1994-11-06 08:49:37 UTC, the example of RFC 9110 section 5.6.7.
local EXAMPLE = 784111777

describe("Retry-After", function()
  it("is a number of seconds", function()
    for _, seconds in ipairs { 0, 1, 120, 86400, 10 ^ 15 } do
      assert.equal(seconds, core.seconds(("%.0f"):format(seconds), EXAMPLE))
    end
  end)

  it("may have zeros in front", function()
    assert.equal(7, core.seconds("007", EXAMPLE))
  end)

  it("is a date: the seconds until then", function()
    assert.equal(0, core.seconds("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE))
    assert.equal(37, core.seconds("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE - 37))
    assert.equal(EXAMPLE, core.seconds("Sun, 06 Nov 1994 08:49:37 GMT", 0))
  end)

  it("is nothing for a date that is past", function()
    assert.equal(0, core.seconds("Sun, 06 Nov 1994 08:49:37 GMT", EXAMPLE + 1))
    assert.equal(0, core.seconds("Mon, 01 Jan 1900 00:00:00 GMT", EXAMPLE))
  end)

  it("knows the calendar", function()
    for day = 0, 100 * 366, 13 do
      local time = day * 86400 + day % 86400
      local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", time)
      assert.equal(time, core.seconds(date, 0), date)
    end
    for _, year in ipairs { 1999, 2000, 2024, 2100 } do
      for _, day in ipairs { "02-28", "03-01", "12-31", "01-01" } do
        local month, mday = day:match "(%d+)-(%d+)"
        local time = os.time { year = year, month = month, day = mday, hour = 12 }
        local date = os.date("!%a, %d %b %Y %H:%M:%S GMT", time)
        assert.equal(time, core.seconds(date, 0), date)
      end
    end
  end)

  it("is nothing when it is neither", function()
    local nonsense = {
      "", " ", "soon", "-5", "+5", "1.5", "1e3", "0x10", "nan", "inf", "12 s", "1,2",
      "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 J 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 GMT", "Sun, 06 Nov 2994 08:49:37 GMT and more",
      "Sun, 00 Nov 2994 08:49:37 GMT", "Sun, 32 Nov 2994 08:49:37 GMT",
      "Sun, 06 Nov 2994 24:49:37 GMT", "Sun, 06 Nov 2994 08:60:37 GMT",
      "Sun, 06 Nov 2994 08:49:61 GMT", "Sun, 06 Nov 2994 08:49:-7 GMT",
    }
    for _, value in ipairs(nonsense) do
      assert.equal(0, core.seconds(value, EXAMPLE), ("%q"):format(value))
    end
  end)
end)
