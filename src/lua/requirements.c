/* The versions that steadysocket needs, which no other file names; tools/packages reads them here.
 * This file produces no code. LuaRocks compiles it first, so that an older library is reported by
 * one of the lines below, and not by the errors that it causes elsewhere. The assertions are not in
 * a macro, since the compiler would then show ten lines for each. */
#include <libwebsockets.h>
#include <lua.h>
#include <openssl/opensslv.h>
#include <uv/version.h>

#define NEEDS_LIBWEBSOCKETS 4, 1, 0
#define NEEDS_LIBUV         1, 43, 0
#define NEEDS_OPENSSL       1, 1, 1

#define LIBWEBSOCKETS                                                                              \
    LWS_LIBRARY_VERSION_MAJOR, LWS_LIBRARY_VERSION_MINOR, LWS_LIBRARY_VERSION_PATCH
#define LIBUV   UV_VERSION_MAJOR, UV_VERSION_MINOR, UV_VERSION_PATCH
#define OPENSSL /* 0xMNNFFPPS, where S is the status */                                            \
    OPENSSL_VERSION_NUMBER >> 28, OPENSSL_VERSION_NUMBER >> 20 & 0xFF,                             \
        OPENSSL_VERSION_NUMBER >> 12 & 0xFF

#define NUMBER_OF(major, minor, patch) ((major)*1000000L + (minor)*1000L + (patch))
#define TEXT_OF(major, minor, patch)   #major "." #minor "." #patch
#define NUMBER(...)                    NUMBER_OF(__VA_ARGS__)
#define TEXT(...)                      TEXT_OF(__VA_ARGS__)

#define WHAT_TO_DO ". README.md says under \"Install\" which systems have it."

_Static_assert(LUA_VERSION_NUM == 504,
               "steadysocket needs Lua 5.4 and found " LUA_VERSION WHAT_TO_DO);
_Static_assert(NUMBER(LIBWEBSOCKETS) >= NUMBER(NEEDS_LIBWEBSOCKETS),
               "steadysocket needs libwebsockets " TEXT(
                   NEEDS_LIBWEBSOCKETS) " or later and found " LWS_LIBRARY_VERSION WHAT_TO_DO);
_Static_assert(NUMBER(LIBUV) >= NUMBER(NEEDS_LIBUV),
               "steadysocket needs libuv " TEXT(NEEDS_LIBUV) " or later and found " TEXT(LIBUV)
                   WHAT_TO_DO);
_Static_assert(NUMBER(OPENSSL) >= NUMBER(NEEDS_OPENSSL),
               "steadysocket needs OpenSSL " TEXT(
                   NEEDS_OPENSSL) " or later and found " OPENSSL_VERSION_TEXT WHAT_TO_DO);
