local core = require("core_binding").retry_after

-- 1994-11-06 08:49:37 UTC, the example of RFC 9110 section 5.6.7.
local EXAMPLE = 784111777

local MONTHS = { "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" }
local LENGTHS = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 }
local WEEK = { "Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed" } -- 1970 began with a Thursday

local function is_leap_year(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

-- Dates by their number of days since 1970. Counted, since os.date ends with 2038 on 32 bits.
local function each_day(first, last)
  local days, count = {}, 0
  for year = first, last do
    for month, name in ipairs(MONTHS) do
      for day = 1, LENGTHS[month] + (month == 2 and is_leap_year(year) and 1 or 0) do
        days[count] = ("%s, %02d %s %d"):format(WEEK[count % 7 + 1], day, name, year)
        count = count + 1
      end
    end
  end
  return days
end

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
    local days = each_day(1970, 2120)
    for date, day in pairs { ["Thu, 01 Jan 1970"] = 0, ["Tue, 29 Feb 2000"] = 11016,
      ["Mon, 01 Mar 2100"] = 47541 } do -- as the command `date` has them
      assert.equal(date, days[day])
    end
    for day = 0, #days do
      local hour, minute, second = day % 24, day % 60, day * 7 % 60
      local date = ("%s %02d:%02d:%02d GMT"):format(days[day], hour, minute, second)
      assert.equal(((day * 24 + hour) * 60 + minute) * 60 + second, core.seconds(date, 0), date)
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
