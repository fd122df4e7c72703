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

  it("is a date in any of the three forms of RFC 9110 section 5.6.7", function()
    local now = EXAMPLE - 100
    for _, date in ipairs {
      "Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
    } do
      assert.equal(100, core.seconds(date, now), date)
    end
    assert.equal(100 + 20 * 86400, core.seconds("Sat Nov 26 08:49:37 1994", now))
    assert.equal(100 + 20 * 86400, core.seconds("Saturday, 26-Nov-94 08:49:37 GMT", now))
  end)

  it("knows each weekday and month in each form", function()
    for day = 20000, 20400 do
      local time = day * 86400 + 45296
      for _, form in ipairs { "!%a, %d %b %Y %H:%M:%S GMT", "!%A, %d-%b-%y %H:%M:%S GMT", "!%a %b %e %H:%M:%S %Y" } do
        local date = os.date(form, time)
        assert.equal(50, core.seconds(date, time - 50), date)
      end
    end
  end)

  it("takes a year of two digits for one that is at most 50 years ahead", function()
    -- Noon of the first of March, in seconds since 1970. No os.time, which ends in 2038 on 32 bits.
    local function at(year)
      local leap_days = (year - 1969) // 4 - (year - 1901) // 100 + (year - 1601) // 400
      local is_leap = year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
      return ((year - 1970) * 365 + leap_days + 59 + (is_leap and 1 or 0)) * 86400 + 43200
    end
    local function year_of(time) return 1970 + time // 31556952 end
    local WEEKDAYS = { "Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday" }
    local function two_digits(time)
      local second = time % 86400
      return ("%s, 01-Mar-%02d %02d:%02d:%02d GMT"):format(WEEKDAYS[time // 86400 % 7 + 1],
        year_of(time) % 100, second // 3600, second // 60 % 60, second % 60)
    end
    for _, case in ipairs {
      { 2026, 2026 }, { 2026, 2027 }, { 2026, 2075 }, { 2026, 2076 }, { 1999, 2000 }, { 1999, 2049 },
      { 2099, 2101 }, { 2050, 2100 }, { 1970, 2020 }, { 2000, 2050 },
    } do
      local now, date = at(case[1]) - 1, at(case[2]) - 1
      assert.equal(date - now, core.seconds(two_digits(date), now), case[1] .. " to " .. case[2])
    end
    -- One second more than 50 years ahead is 50 years ago.
    assert.equal(0, core.seconds(two_digits(at(2076)), at(2026) - 1))
    assert.equal(0, core.seconds(two_digits(at(2077)), at(2026)))
    assert.equal(0, core.seconds(two_digits(at(2025)), at(2026)))
  end)

  it("is nothing when it is neither", function()
    local nonsense = {
      "", " ", "soon", "-5", "+5", "1.5", "1e3", "0x10", "nan", "inf", "12 s", "1,2",
      "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 CET", "06 Nov 1994 08:49:37 GMT",
      "Sun, 06 Foo 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT", "Sun, 06 J 1994 08:49:37 GMT",
      "Sun, 06 Nov 1994 08:49 GMT", "Sun, 06 Nov 1994 GMT", "Sun, 06 Nov 2994 08:49:37 GMT and more",
      "Sun, 00 Nov 2994 08:49:37 GMT", "Sun, 32 Nov 2994 08:49:37 GMT",
      "Sun, 06 Nov 2994 24:49:37 GMT", "Sun, 06 Nov 2994 08:60:37 GMT",
      "Sunday, 06-Nov-1994 08:49:37 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sunday, 06 Nov 94 08:49:37 GMT",
      "Sun Nov 06 08:49:37 2994 GMT", "Sun Nov 6 08:49:37 2994", "Sun Nov  0 08:49:37 2994",
      "Sun Nov   6 08:49:37 2994", "sun, 06 Nov 2994 08:49:37 GMT", "Sux, 06 Nov 2994 08:49:37 GMT",
      "Sun, +6 Nov 2994 08:49:37 GMT", "Sun, 06 Nov 2994 08:49:37 gmt", "Sun,  6 Nov 2994 08:49:37 GMT",
      "Sun, 06 Nov 2994 08:49:61 GMT", "Sun, 06 Nov 2994 08:49:-7 GMT",
    }
    for _, value in ipairs(nonsense) do
      assert.equal(0, core.seconds(value, EXAMPLE), ("%q"):format(value))
    end
  end)
end)
