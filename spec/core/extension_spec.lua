local extension = require("core_binding").extension
local offer, read = extension.offer, extension.read

describe("the offer of permessage-deflate", function()
  it("allows the server to limit our window", function()
    assert.equal("permessage-deflate; client_max_window_bits", offer {})
  end)

  it("says what was asked for", function()
    assert.equal("permessage-deflate; client_max_window_bits=12",
      offer { client_max_window_bits = 12 })
    assert.equal("permessage-deflate; client_max_window_bits; server_max_window_bits=8",
      offer { server_max_window_bits = 8 })
    assert.equal("permessage-deflate; client_max_window_bits; client_no_context_takeover",
      offer { client_no_context_takeover = true })
    assert.equal("permessage-deflate; client_max_window_bits=8; server_max_window_bits=14; "
      .. "client_no_context_takeover; server_no_context_takeover", offer {
        client_max_window_bits = 8, server_max_window_bits = 14,
        client_no_context_takeover = true, server_no_context_takeover = true,
      })
  end)
end)

local function agreed(client_bits, client_off, server_bits, server_off)
  return {
    client = { window_bits = client_bits, no_context_takeover = client_off },
    server = { window_bits = server_bits, no_context_takeover = server_off },
    threshold = 1024, level = 6,
  }
end

local function refused(answer, options, why)
  local parameters, complaint = read(answer, options)
  assert.is_nil(parameters, answer)
  assert.equal(why, complaint, answer)
end

describe("the answer", function()
  it("may decline", function()
    for _, options in ipairs { {}, { server_no_context_takeover = true } } do
      assert.False(read(nil, options))
      for _, answer in ipairs { "", " ", "\t", ",", " , ,," } do
        assert.False(read(answer, options))
      end
    end
  end)

  it("may accept without more", function()
    local forms = { "permessage-deflate", " permessage-deflate\t", ",permessage-deflate, ," }
    for _, answer in ipairs(forms) do
      assert.same(agreed(15, false, 15, false), read(answer, {}))
    end
  end)

  it("may have every parameter, asked for or not, with blanks around all of it", function()
    assert.same(agreed(10, true, 9, true), read("permessage-deflate; client_max_window_bits=10; "
      .. "server_max_window_bits=9; client_no_context_takeover; server_no_context_takeover", {}))
    assert.same(agreed(15, true, 8, false), read(" permessage-deflate ;server_max_window_bits\t= "
      .. '"8" ; client_no_context_takeover ', {}))
  end)

  it("may have every number of window bits, quoted or not", function()
    for bits = 8, 15 do
      for _, form in ipairs { "%d", '"%d"' } do
        local value = form:format(bits)
        assert.same(agreed(bits, false, 15, false),
          read("permessage-deflate; client_max_window_bits=" .. value, {}))
        assert.same(agreed(15, false, bits, false),
          read("permessage-deflate; server_max_window_bits=" .. value, {}))
      end
    end
  end)

  it("is met with the smaller window and the stricter rule for what we send", function()
    local ours = { client_max_window_bits = 11, client_no_context_takeover = true }
    assert.same(agreed(11, true, 15, false), read("permessage-deflate", ours))
    assert.same(agreed(11, true, 15, false),
      read("permessage-deflate; client_max_window_bits=13", ours))
    assert.same(agreed(9, true, 15, false),
      read("permessage-deflate; client_max_window_bits=9", ours))
  end)

  it("hands on the options that are our own business", function()
    local parameters = read("permessage-deflate", { threshold = 7, level = 9 })
    assert.same({ 7, 9 }, { parameters.threshold, parameters.level })
    assert.truthy(read("permessage-deflate", { threshold = math.huge }).threshold > 2 ^ 31)
  end)
end)

describe("an answer is refused that", function()
  it("accepts what was not offered", function()
    refused("permessage-deflate", nil, "has an extension, we offered none")
    local why = "has an extension that we did not offer"
    local others = {
      "x-webkit-deflate-frame", "permessage-deflat", "permessage-deflates", "Permessage-Deflate",
      "permessage-bzip2; x=1", '"permessage-deflate"', "; permessage-deflate", "=",
      "permessage-deflate, x", "permessage-deflate; client_no_context_takeover,x",
      "x, permessage-deflate", "permessage-deflate x", "permessage-deflate=1",
      "permessage-deflate\n",
    }
    for _, answer in ipairs(others) do
      refused(answer, {}, why)
    end
  end)

  it("accepts the offer twice", function()
    for _, answer in ipairs {
      "permessage-deflate, permessage-deflate", "permessage-deflate,,permessage-deflate; x",
      "permessage-deflate; server_no_context_takeover, permessage-deflate",
      "permessage-deflate permessage-deflate",
    } do
      refused(answer, {}, "has permessage-deflate twice")
    end
  end)

  it("has a parameter that there is not", function()
    for _, parameter in ipairs {
      "", " ", "x", "x=1", "server_max_windows_bits=10", "client_no_context_takeover_",
      "CLIENT_NO_CONTEXT_TAKEOVER", "=10", '"server_no_context_takeover"', ";", ",",
    } do
      refused("permessage-deflate; " .. parameter, {},
        "has a parameter that permessage-deflate does not have")
    end
  end)

  it("has a parameter twice", function()
    for _, parameter in ipairs {
      "server_no_context_takeover", "client_no_context_takeover", "server_max_window_bits=10",
      "client_max_window_bits=15",
    } do
      local answer = ("permessage-deflate; %s; %s"):format(parameter, parameter)
      refused(answer, {}, "has a parameter twice")
    end
  end)

  it("has a value where none may be", function()
    for _, parameter in ipairs {
      "server_no_context_takeover=1", "client_no_context_takeover=true",
      'server_no_context_takeover=""', "client_no_context_takeover =",
    } do
      refused("permessage-deflate; " .. parameter, {},
        "has a value for a parameter that takes none")
    end
  end)

  it("has window bits that are not a number from 8 to 15 in its only form", function()
    for _, name in ipairs { "server_max_window_bits", "client_max_window_bits" } do
      for _, value in ipairs {
        "", "=", "=7", "=16", "=0", "=08", "=015", "=-9", "=+9", "=9.0", "=1e1", "=0xA", "=1 0",
        "=10x", '=""', '="10', '="10x"', '=" 10"', '="10 "', "='10'", '="1\\0"', "=100", "=8=8",
        "=4294967304",
      } do
        local answer = ("permessage-deflate; %s%s"):format(name, value)
        local parameters, complaint = read(answer, {})
        assert.is_nil(parameters, answer)
        assert.is_string(complaint)
      end
    end
    refused("permessage-deflate; server_max_window_bits=16", {},
      "has window bits that are not a number from 8 to 15")
  end)

  it("leaves out what it accepted", function()
    refused("permessage-deflate", { server_no_context_takeover = true },
      "leaves out the server_no_context_takeover that we asked for")
    refused("permessage-deflate; client_no_context_takeover", { server_max_window_bits = 10 },
      "leaves out the server_max_window_bits that we asked for")
    refused("permessage-deflate; server_max_window_bits=11", { server_max_window_bits = 10 },
      "has more server_max_window_bits than we asked for")
    assert.same(agreed(15, false, 9, true),
      read("permessage-deflate; server_max_window_bits=9; server_no_context_takeover",
        { server_max_window_bits = 10, server_no_context_takeover = true }))
  end)
end)
