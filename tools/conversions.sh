#!/bin/sh
# What differs from machine to machine, or is lost without a warning, belongs to one file each: plain
# `char`, which has a sign here and none there, to src/core/ascii.h, and, in src, a number that is made
# narrower to src/core/number.h. Prints each line that breaks this.
#
# An explicit cast silences the compiler, so clang's syntax tree is read. It is that of a machine of
# 32 bits, where size_t and long have no more. The headers of this machine do for it, since nothing
# is linked.
#
#   tools/conversions.sh FLAGS...      the flags with which the sources are compiled
cd "$(dirname "$0")/.." || exit 1

stubs=$(mktemp -d)
trap 'rm -rf "$stubs"' EXIT
# glibc's list of missing functions for 32 bits, which is not installed where only 64 are.
mkdir "$stubs/gnu"
: >"$stubs/gnu/stubs-32.h"

status=0
for source in $(find src spec bench tools -name "*.c"); do
    clang --target=i386-linux-gnu -idirafter "/usr/include/$(uname -m)-linux-gnu" -idirafter "$stubs" \
        "$@" -w -fsyntax-only -fno-color-diagnostics -Xclang -ast-dump "$source" >"$stubs/tree" || exit 1
    awk '
    # Each place is told by what has changed since the one before: <src/core/url.c:12:3, line:14:5>
    function follow(text,    place, parts)
    {
        gsub(/"([^"\\]|\\.)*"/, "", text)
        while (match(text, /[^ <>,]+:[0-9]+:[0-9]+/)) {
            place = substr(text, RSTART, RLENGTH)
            text = substr(text, RSTART + RLENGTH)
            split(place, parts, ":")
            if (parts[1] != "line")
                file = parts[1]
            line = parts[2]
        }
    }

    # Of the type of a node, without the name that it has by a typedef: "size_t":"unsigned int"
    function type(node,    found)
    {
        if (!match(node, /\047[^\047]*\047(:\047[^\047]*\047)?/))
            return ""
        found = substr(node, RSTART, RLENGTH - 1)
        sub(/^.*\047/, "", found)
        sub(/^const /, "", found)
        return found
    }

    function report(why)
    {
        printf "%s:%s: %s\n", file, line, why
        failed = 1
    }

    { depth = match($0, /[A-Za-z<]/); follow($0); above[depth] = $0 }

    file !~ /^(src|spec|bench|tools)\// { next }
    { in_source = file ~ /^src\// && file !~ /core\/number\.h$/ }

    in_source && /<FloatingToIntegral>/ {
        report("a floating-point number becomes an integer: use core/number.h")
    }

    # To a byte is how a number is taken apart.
    in_source && narrowing && depth == narrowing + 2 && type($0) ~ /long long$/ {
        report("64 bits become fewer: use core/number.h")
    }
    { narrowing = /CStyleCastExpr.*<IntegralCast>/ && type($0) !~ /long long$|char$/ ? depth : 0 }

    # The sign means nothing to what asks for equality, or chooses between two characters.
    promoted && depth == promoted + 2 && type($0) == "char" && file !~ /core\/ascii\.h$/ &&
    above[promoted - 2] !~ /BinaryOperator.*\047([!=]=|&&|[|][|])\047$|ConditionalOperator/ {
        report("plain char is taken for a number: use core/ascii.h")
    }
    { promoted = /(Implicit|CStyle)CastExpr.*<IntegralCast>/ && type($0) !~ /char$/ ? depth : 0 }

    END { exit failed }
    ' "$stubs/tree" || status=1
done
exit $status
