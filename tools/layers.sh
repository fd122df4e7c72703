#!/bin/sh
# Includes point down only, lua -> net -> core, and a few calls belong to one file (DESIGN.md,
# section 4). Prints each line that breaks a rule. Comments and strings do not count.
cd "$(dirname "$0")/.." || exit 1

find src -name '*.[ch]' | LC_ALL=C sort | xargs awk '
function violation(why)
{
    printf "%s:%d: %s  [%s]\n", FILENAME, FNR, $0, why
    failed = 1
}

# The line without comments; and without the contents of strings, unless it is an #include.
function code(text,    out, at)
{
    if (text !~ /^[ \t]*#[ \t]*include/)
        gsub(/"([^"\\]|\\.)*"/, "\"\"", text)
    while (text != "") {
        if (in_comment) {
            at = index(text, "*/")
            if (!at)
                break
            in_comment = 0
            text = substr(text, at + 2)
        } else {
            at = match(text, /\/[*\/]/)
            if (!at)
                return out text
            out = out substr(text, 1, at - 1) " "
            if (substr(text, at, 2) == "//")
                break
            in_comment = 1
            text = substr(text, at + 2)
        }
    }
    return out
}

function names(line, pattern)
{
    return line ~ ("(^|[^A-Za-z0-9_])(" pattern ")([^A-Za-z0-9_]|$)")
}

FNR == 1 {
    in_comment = 0
    split(FILENAME, path, "/")
    layer = path[2]
}

{ line = code($0) }

line ~ /^[ \t]*#[ \t]*include/ {
    header = line
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", header)
    sub(/[ \t]*$/, "", header)
    if (layer == "core" || layer == "net") {
        if (header ~ /[<"\/](lua|lauxlib|lualib|luaconf)\.h/)
            violation("only src/lua knows Lua")
        if (header ~ /^["<]lua\//)
            violation(layer " does not know src/lua")
    }
    if (layer == "core") {
        if (header ~ /^["<]net\//)
            violation("core does not know src/net")
        else if (header ~ /^<zlib\.h>$/ && path[3] !~ /^deflate\./)
            violation("only core/deflate knows zlib")
        else if (header !~ /^"core\// && header !~ /^<zlib\.h>$/ && header !~ /^["<]lua/ &&
                 header !~ /^<(arpa\/inet|assert|ctype|errno|float|inttypes|limits|math|stdalign|stdarg|stdbool|stddef|stdint|stdio|stdlib|stdnoreturn|string)\.h>$/)
            violation("core knows libc, without clock, signals or I/O, and core/ only")
    }
}

names(line, "lws_(write|http_client_read)[a-z_]*") {
    violation("libwebsockets connects; it neither reads nor writes for us")
}

names(line, "recv|send|SSL_read|SSL_write") && FILENAME !~ /^src\/net\/(stream|tls).c$/ {
    violation("only src/net/stream.c reads and writes sockets, by TLS with src/net/tls.c")
}

names(line, "lua_p?callk?|lua_resume|luaL_do(string|file)") && FILENAME != "src/lua/call.c" {
    violation("only src/lua/call.c calls Lua functions")
}

END { exit failed }
'
