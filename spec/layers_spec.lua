-- tools/layers.lua, on small trees of sources: what it lets pass, and each kind of breach.

local child = require "support.child"
local files = require "support.files"

-- A tree in which all is well.
local RIGHT = {
  ["core/text.h"] = "#include <stddef.h>\nsize_t text_size(const char *text);\n",
  ["core/text.c"] = '#include "core/text.h"\n#include <string.h>\n'
    .. "size_t text_size(const char *text)\n{\n    return strlen(text);\n}\n",
  ["core/deflate.c"] = "#include <zlib.h>\nint packed(z_stream *s)\n{\n    return deflate(s, 0);\n}\n",
  ["loop/loop.h"] = "#include <uv.h>\nvoid loop_run(uv_loop_t *loop);\n",
  ["loop/loop.c"] = '#include "loop/loop.h"\nvoid loop_run(uv_loop_t *loop)\n{\n    uv_run(loop, 0);\n}\n',
  ["loop/watch.c"] = "#include <libwebsockets.h>\nvoid watch_end(struct lws_context *context)\n{\n"
    .. "    lws_context_destroy(context);\n}\n",
  ["dial/layers.h"] = "void stream_send(int socket, const char *text);\n",
  ["dial/layers.c"] = '#include "dial/layers.h"\n#include "core/text.h"\n#include <sys/socket.h>\n'
    .. "void stream_send(int socket, const char *text)\n{\n    send(socket, text, text_size(text), 0);\n}\n",
  ["client/client.h"] = "void client_go(void);\n",
  ["client/client.c"] = '#include "client/client.h"\n#include "dial/layers.h"\n'
    .. 'void client_go(void)\n{\n    stream_send(0, "x");\n}\n',
  ["lua/call.h"] = "#include <lua.h>\nvoid call(lua_State *L);\n",
  ["lua/call.c"] = '#include "lua/call.h"\nvoid call(lua_State *L)\n{\n    lua_pcall(L, 0, 0, 0);\n}\n',
  ["lua/module.c"] = '#include "client/client.h"\n#include "lua/call.h"\n'
    .. "int luaopen_it(lua_State *L)\n{\n    client_go();\n    call(L);\n    return 0;\n}\n",
}

-- Two files that need each other by functions that they declare by themselves.
local A_AND_B = {
  ["client/a.c"] = "void b_go(void);\nvoid a_go(void)\n{\n    b_go();\n}\n",
  ["client/b.c"] = "void a_go(void);\nvoid b_go(void)\n{\n    a_go();\n}\n",
}

describe("tools/layers.lua", function()
  local folder

  before_each(function() folder = files.new_folder "layers" end)
  after_each(function() os.execute("rm -r " .. folder) end)

  -- The breaches that are told, without the folder's name, and whether it succeeds.
  local function check(tree)
    os.execute(("cd '%s' && mkdir -p core loop dial client lua net"):format(folder))
    for path, text in pairs(tree) do files.write(folder .. "/" .. path, text) end
    local out = folder .. "/out"
    local command = ("timeout 60 %s tools/layers.lua '%s' > '%s' 2>&1")
    local ok = os.execute(command:format(child.interpreter(), folder, out))
    local breaches = {}
    for line in files.read(out):gsub(folder:gsub("%p", "%%%0") .. "/?", ""):gmatch "[^\n]+" do
      breaches[#breaches + 1] = line
    end
    return breaches, ok == true
  end

  -- The right tree with these files instead of its own, or besides.
  local function check_with(changes)
    local tree = {}
    for path, text in pairs(RIGHT) do tree[path] = text end
    for path, text in pairs(changes) do tree[path] = text end
    return check(tree)
  end

  local function passes(changes)
    local breaches, ok = check_with(changes)
    assert.same({}, breaches)
    assert.equal(true, ok)
  end

  local function fails(changes, expected)
    local breaches, ok = check_with(changes)
    assert.same(type(expected) == "table" and expected or { expected }, breaches)
    assert.equal(false, ok)
  end

  it("lets pass what is right", function() passes {} end)

  it("fails where there is no source", function()
    assert.same({ ": there is no C source in it" }, (check { ["core/text.lua"] = "" }))
    local ok = os.execute(("%s tools/layers.lua '%s/none' > '%s/out' 2>&1"):format(
      child.interpreter(), folder, folder))
    assert(not ok)
  end)

  describe("floors:", function()
    it("an #include may not point up", function()
      fails({ ["core/up.c"] = '\n#include "dial/layers.h"\n' },
        "core/up.c:2: core is below dial and may not include dial/layers.h")
      fails({ ["core/up.c"] = "", ["dial/up.h"] = '#include "client/client.h"\n' },
        "dial/up.h:1: dial is below client and may not include client/client.h")
    end)

    it("a prototype of one's own may not point up either", function()
      fails({ ["core/up.c"] = "void client_go(void);\nvoid up(void)\n{\n    client_go();\n}\n" },
        "core/up.c:1: core is below client and may not use client_go")
    end)

    for what, line in pairs {
      ["in angle brackets"] = "#include <client/client.h>",
      ["from its own folder"] = '#include "../client/client.h"',
      ["on a way around"] = '#include "./core/..//client/./client.h"',
      ["with blanks everywhere"] = '  #\t include\t "client/client.h"  // up',
      ["without a blank"] = '#include"client/client.h"',
      ["behind comments"] = '/* one */ # /* two */ include /* three */ "client/client.h"',
      ["behind the end of a comment"] = '/* one\n*/ #include "client/client.h"',
      ["on two lines"] = '#inc\\\nlude "client/client.h"',
      ["with a carriage return"] = '#include "client/client.h"\r',
      ["after what looks like a comment"] = 'char c = \'"\'; char *s = "/*";\n#include "client/client.h"',
      ["in an #if"] = '#if 0\n#else\n#include "client/client.h"\n#endif',
      ["with a digraph"] = '%:include "client/client.h"',
    } do
      it("an #include is seen " .. what, function()
        local breaches, ok = check_with { ["loop/up.c"] = line .. "\n" }
        assert.equal(1, #breaches)
        assert(breaches[1]:find "^loop/up%.c:[123]: loop is below client and may not include client/client%.h$",
          breaches[1])
        assert.equal(false, ok)
      end)
    end

    it("each file is on one", function()
      fails({ ["net/x.c"] = "int x;\n" }, "net/x.c:1: net/x.c is on no floor")
      fails({ ["net/x.c"] = "", ["x.h"] = "" },
        { "net/x.c:1: net/x.c is on no floor", "x.h:1: x.h is on no floor" })
    end)

    it("what is included is a header, by its name", function()
      fails({ ["loop/x.c"] = '#include "loop/loop.c"\n' }, "loop/x.c:1: loop/loop.c is no header")
      fails({ ["loop/x.c"] = '#include "loop/table.inc"\n' }, "loop/x.c:1: loop/table.inc is no header")
      fails({ ["loop/x.c"] = '#include "loop/none.h"\n' }, 'loop/x.c:1: "loop/none.h" is not in ')
      fails({ ["loop/x.c"] = "#define UP <client/client.h>\n#include UP\n" },
        "loop/x.c:2: an #include has to name a header")
      fails({ ["loop/x.c"] = '#include_next "client/client.h"\n' },
        "loop/x.c:1: an #include has to name a header")
    end)
  end)

  describe("libraries:", function()
    it("a header is for those to whom the library belongs", function()
      for header, file in pairs {
        ["libwebsockets.h"] = "dial/x", ["libwebsockets/lws-misc.h"] = "client/x", ["uv.h"] = "client/x",
        ["openssl/ssl.h"] = "loop/x", ["zlib.h"] = "dial/x", ["lua.h"] = "client/x",
        ["lua5.4/lauxlib.h"] = "dial/x", ["pthread.h"] = "lua/x",
      } do
        fails({ [file .. ".h"] = ("#include <%s>\n"):format(header) },
          ("%s.h:1: <%s> is not for %s"):format(file, header, file))
        os.remove(("%s/%s.h"):format(folder, file))
      end
    end)

    it("core has libc without a clock, signals and files", function()
      for _, header in ipairs { "time.h", "signal.h", "unistd.h", "sys/socket.h", "curl/curl.h" } do
        fails({ ["core/x.c"] = ("#include <%s>\n"):format(header) },
          ("core/x.c:1: <%s> is no part of libc that core may use"):format(header))
      end
      fails({ ["core/x.c"] = "#include <uv.h>\n" }, {
        "core/x.c:1: <uv.h> is not for core/x",
        "core/x.c:1: <uv.h> is no part of libc that core may use",
      })
    end)

    it("there are no others", function()
      fails({ ["dial/x.c"] = "#include <curl/curl.h>\n" },
        "dial/x.c:1: <curl/curl.h> is of no library that is known here")
    end)
  end)

  describe("calls:", function()
    local function calls(line, name, file)
      file = file or "client/x"
      fails({ [file .. ".c"] = ("void x_go(int fd)\n{\n    %s\n}\n"):format(line) },
        ("%s.c:3: %s is not for %s to call"):format(file, name, file))
      os.remove(("%s/%s.c"):format(folder, file))
    end

    it("a function is for those to whom it belongs", function()
      calls("lws_service(0, 0);", "lws_service", "dial/x")
      calls("recv(fd, 0, 0, 0);", "recv", "dial/x")
      calls("socket (1, 1, 0);", "socket", "dial/x")
      calls("connect\n(fd, 0, 0);", "connect", "dial/x")
      calls("SSL_read_ex(0, 0, 0, 0);", "SSL_read_ex", "dial/x")
      calls("lua_pcallk(0, 0, 0, 0, 0, 0);", "lua_pcallk", "lua/x")
      calls("pthread_atfork(0, 0, 0);", "pthread_atfork", "dial/x")
      calls("printf(0);", "printf", "core/x")
      calls('getenv("HOME");', "getenv", "core/x")
    end)

    it("a pointer to it is as good as a call", function()
      calls("ssize_t (*f)(int, const void *, size_t, int) = send;", "send")
      calls("use(send, fd);", "send")
      calls("use(&send);", "send")
      calls("(send)(fd, 0, 0, 0);", "send")
      calls("(*send)(fd, 0, 0, 0);", "send")
      calls("struct calls c = {.write = send};", "send")
    end)

    it("so is a macro", function()
      fails({ ["client/x.h"] = "#define PUT(fd, x) \\\n    send(fd, x, 1, 0)\n" },
        "client/x.h:1: send is not for client/x to call")
      fails({ ["client/x.h"] = "#define PUT send\n" }, "client/x.h:1: send is not for client/x to call")
      fails({ ["client/x.h"] = "#define PUT(x) se##x(0, 0, 0, 0)\n" },
        "client/x.h:1: ## makes names that nobody finds")
    end)

    it("nobody hides them", function()
      calls('dlsym(0, "send");', "dlsym")
      calls("syscall(44, fd);", "syscall")
      fails({ ["client/x.c"] = 'int put(int) __asm__("send");\n' },
        "client/x.c:1: __asm__ is not for client/x to call")
    end)

    it("they are seen on both sides of an #if, in headers and on joined lines", function()
      fails({ ["client/x.h"] = "#ifdef A\nstatic inline void x(void) {\n#else\nstatic void x(int a) {\n#endif\n"
        .. "    se\\\nnd(0);\r\n}\n" }, "client/x.h:6: send is not for client/x to call")
    end)

    it("comments, strings, members and variables do not count", function()
      passes {
        ["client/x.h"] = "/* send(fd)\n * send(fd) */\n// send(fd) \\\n   send(fd)\n"
          .. "struct x {\n    int socket, connect;\n    void (*send)(int fd);\n    struct send *recv;\n};\n",
        ["client/x.c"] = '#include "client/x.h"\nvoid x_go(struct x *x, const int *accept)\n{\n'
          .. '    const char *open = "send(\\"x\\")", c = \'"\', *d = "/*", *dup = "*/ send(";\n'
          .. "    x->send(x->socket); /* send(\\*/\n    x->send = 0, *x = (struct x){.send = x->send};\n"
          .. "    use(accept, open, c, d, dup);\n}\n",
      }
    end)

    it("functions of a file's own do not count", function()
      passes {
        ["client/x.c"] = "static int send(int fd)\n{\n    return fd;\n}\n\nstatic int\nconnect(int fd)\n{\n"
          .. "    return fd;\n}\n\nvoid x_go(void)\n{\n    send(connect(1));\n}\n",
      }
    end)
  end)

  describe("circles:", function()
    it("of two headers", function()
      fails({ ["client/a.h"] = '#include "client/b.h"\n', ["client/b.h"] = '\n#include "client/a.h"\n' },
        "client/a.h:1: a circle: client/a needs client/b (#include, client/a.h:1), "
          .. "client/b needs client/a (#include, client/b.h:2)")
    end)

    it("of three files, each once", function()
      fails({
        ["client/c.h"] = '#include "a.h"\n', ["client/a.c"] = '#include "client/b.h"\n',
        ["client/a.h"] = "", ["client/b.c"] = '#include "client/c.h"\n', ["client/b.h"] = "",
      }, "client/a.c:1: a circle: client/a needs client/b (#include, client/a.c:1), "
        .. "client/b needs client/c (#include, client/b.c:1), client/c needs client/a (#include, client/c.h:1)")
    end)

    local BY_FUNCTIONS = "client/a needs client/b (b_go, client/a.c:4), client/b needs client/a (a_go, client/b.c:4)"

    it("by functions that no header shows", function()
      fails(A_AND_B, (("client/a.c:1: a circle: " .. BY_FUNCTIONS):gsub(":4%)", ":1)")))
    end)

    -- The header needs both as well.
    it("by functions that a third header declares", function()
      local breaches, ok = check_with {
        ["client/all.h"] = "void a_go(void);\nvoid b_go(void);\n",
        ["client/a.c"] = '#include "client/all.h"\nvoid a_go(void)\n{\n    b_go();\n}\n',
        ["client/b.c"] = '#include "client/all.h"\nvoid b_go(void)\n{\n    a_go();\n}\n',
      }
      assert.equal(false, ok)
      assert.same({
        "client/a.c:1: a circle: client/a needs client/all (#include, client/a.c:1), "
          .. "client/all needs client/a (a_go, client/all.h:1)",
        "client/a.c:4: a circle: " .. BY_FUNCTIONS,
        "client/all.h:2: a circle: client/all needs client/b (b_go, client/all.h:2), "
          .. "client/b needs client/all (#include, client/b.c:1)",
      }, breaches)
    end)

    -- How b.c has a_go, and how it defines b_go; a.c calls b_go.
    for what, text in pairs {
      ["with the type on a line of its own"] = "static int x;\nvoid\nb_go(void)\n{\n    a_go();\n}\n",
      ["in an #ifdef"] = "#ifdef A\nvoid b_go(int a) {\n#else\nvoid b_go(void) {\n#endif\n    a_go();\n}\n",
      ["behind an #if that opens two braces"] = "#if A\nvoid x(void) {\n#elif B\nvoid x(int x) {\n#endif\n}\n"
        .. "void b_go(void) { a_go(); }\n",
      ["with parameters on several lines"] = "void b_go(int a,\n          int b)\n{\n    a_go();\n}\n",
      ["in parentheses"] = "void (b_go)(void)\n{\n    (a_go)();\n}\n",
      ["with a pointer as result"] = "struct b *b_go(void)\n{\n    return a_go();\n}\n",
      ["with a function as result"] = "void (*b_go(int a))(void)\n{\n    return a_go;\n}\n",
      ["with an attribute"] = "__attribute__((used)) void b_go(void)\n{\n    a_go();\n}\n",
      ["by a macro"] = "DEFINE(b_go, void)\n{\n    a_go();\n}\n",
      ["by a pointer in a table"] = "static void (*const go[])(void) = {a_go};\nvoid b_go(void)\n{\n    go[0]();\n}\n",
      ["in a macro"] = "#define GO() \\\n    a_go()\nvoid b_go(void)\n{\n    GO();\n}\n",
      ["behind a character that is a quote"] = "char q = '\"';\nvoid b_go(void)\n{\n    a_go();\n}\nchar r = '\"';\n",
      ["as variables"] = "int b_go = 1;\nint *b(void)\n{\n    return &a_go;\n}\n",
      ["as pointers"] = "void (*b_go)(void), *b_x = 0;\nvoid b(void)\n{\n    a_go();\n}\n",
      ["with carriage returns"] = "void b_go(void)\r\n{\r\n    a_go();\r\n}\r\n",
    } do
      it("by functions, " .. what, function()
        local breaches = check_with { ["client/a.c"] = A_AND_B["client/a.c"], ["client/b.c"] = text }
        assert.equal(1, #breaches)
        assert(breaches[1]:find("a circle: client/a needs client/b (b_go, client/a.c:1), "
          .. "client/b needs client/a (a_go, client/b.c:", 1, true), breaches[1])
      end)
    end

    it("through a header that has no .c", function()
      fails({
        ["client/a.c"] = '#include "client/b.h"\nvoid a_go(void)\n{\n    b_go();\n}\n',
        ["client/b.h"] = "void a_go(void);\nstatic inline void b_go(void)\n{\n    a_go();\n}\n",
      }, "client/a.c:1: a circle: client/a needs client/b (#include, client/a.c:1), "
        .. "client/b needs client/a (a_go, client/b.h:1)")
    end)

    it("through a macro of a header that has no .c", function()
      fails({
        ["client/a.c"] = '#include "client/b.h"\nvoid a_go(void)\n{\n    GO();\n}\n',
        ["client/b.h"] = "#define GO() a_go()\n",
      }, "client/a.c:1: a circle: client/a needs client/b (#include, client/a.c:1), "
        .. "client/b needs client/a (a_go, client/b.h:1)")
    end)

    it("in a folder without floors", function()
      assert.same({ "a.h:1: a circle: a needs b (#include, a.h:1), b needs a (#include, b.h:1)" },
        (check { ["a.h"] = '#include "b.h"\n', ["b.h"] = '#include "a.h"\n' }))
    end)

    it("are none by comments, strings, members, variables and static functions", function()
      passes {
        ["client/a.c"] = "void a_go(void)\n{\n    /* b_go(); */\n    // b_go();\n    tell(\"b_go()\");\n}\n",
        ["client/b.c"] = "void a_go(void);\nvoid b_go(void)\n{\n    a_go();\n}\n",
        ["client/c.c"] = "void a_go(void);\nstatic void b_go(void);\nvoid c(void)\n{\n    b_go();\n}\n"
          .. "static void b_go(void)\n{\n    a_go();\n}\n",
        ["client/d.c"] = "int d(struct d *d, int c)\n{\n    return d->c + c;\n}\n",
      }
      passes {
        ["client/a.c"] = "static void b_go(void)\n{\n}\nvoid a_go(void)\n{\n    b_go();\n}\n",
      }
    end)
  end)
end)
