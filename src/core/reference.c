#include "core/reference.h"

#include "core/ascii.h"
#include "core/buffer.h"
#include "core/scheme.h"

#include <stdlib.h>
#include <string.h>

/* The parts of a reference by RFC 3986 section 5.2.2. The query includes its question mark. */
struct parts {
    /* Each part ends where the next one begins; `end` is the end of the last one. */
    const char *scheme, *authority, *path, *query;
    const char *end;
};

static const char no_memory[] = "out of memory";

/* ------------------------------------------------------------------------- taking apart */

static struct parts take_apart(const char *reference)
{
    struct parts parts = {.scheme = reference, .end = reference + strcspn(reference, "#")};
    const char *at = reference;
    while (steady_scheme_has_character(*at))
        at++;
    parts.authority = *at == ':' ? at + 1 : reference;
    at = parts.authority;
    parts.path = strncmp(at, "//", 2) ? at : at + 2 + strcspn(at + 2, "/?#");
    parts.query = parts.path + strcspn(parts.path, "?#");
    return parts;
}

static bool is_empty(const char *from, const char *to)
{
    return from == to;
}

/* ------------------------------------------------------------------------- putting together */

static bool append(struct steady_buffer *out, const char *from, const char *to)
{
    return steady_buffer_append(out, from, (size_t)(to - from));
}

/* Appends a path, in which the segments "." and ".." mean what they mean in the path of a file (RFC
 * 3986 section 5.2.4). `start` is where the path begins in `out`. */
static bool append_path(struct steady_buffer *out, size_t start, const char *path, const char *end)
{
    bool ok = true;
    while (ok && path < end) {
        path += *path == '/';
        size_t size = 0;
        while (path + size < end && path[size] != '/')
            size++;
        bool last = path + size == end;
        bool dot = size == 1 && *path == '.', dots = size == 2 && !strncmp(path, "..", 2);
        if (dots)
            while (out->size > start && out->data[--out->size] != '/') {
            }
        if (!dot && !dots)
            ok = steady_buffer_append(out, "/", 1) && steady_buffer_append(out, path, size);
        else if (last)
            ok = steady_buffer_append(out, "/", 1);
        path += size;
    }
    return ok;
}

/* Appends the path of the base up to its last slash, and then the path of the reference (RFC 3986
 * section 5.2.3). */
static bool append_merged(struct steady_buffer *out, const char *base, const struct parts *parts)
{
    struct steady_buffer merged = {0};
    const char *end = base + strcspn(base, "?");
    while (end[-1] != '/') /* the path begins with a slash */
        end--;
    bool ok = append(&merged, base, end) && append(&merged, parts->path, parts->query) &&
              append_path(out, out->size, (char *)merged.data, (char *)merged.data + merged.size);
    steady_buffer_free(&merged);
    return ok;
}

static const char *append_scheme(struct steady_buffer *out, const struct steady_url *base,
                                 const struct parts *parts)
{
    static const char *const schemes[][2] = {
        {"ws:", "ws:"}, {"wss:", "wss:"}, {"http:", "ws:"}, {"https:", "wss:"}};
    size_t size = (size_t)(parts->authority - parts->scheme);
    if (size == 0)
        return steady_buffer_append_texts(out, base->secure ? "wss:" : "ws:") ? NULL : no_memory;
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
        if (strlen(schemes[i][0]) == size &&
            steady_is_same_text(parts->scheme, schemes[i][0], size))
            return steady_buffer_append_texts(out, schemes[i][1]) ? NULL : no_memory;
    return "has a scheme that is none of ws, wss, http and https";
}

/* Appends everything that is in front of the path, for a reference that has only a path. */
static bool append_front(struct steady_buffer *out, const struct steady_url *base)
{
    return append(out, base->text, base->text + strlen(base->text) - strlen(base->path));
}

static const char *put_together(struct steady_buffer *out, const struct steady_url *base,
                                const struct parts *parts)
{
    bool absolute = !is_empty(parts->scheme, parts->path), ok;
    if (absolute) {
        const char *wrong = append_scheme(out, base, parts);
        if (wrong)
            return wrong;
        ok = append(out, parts->authority, parts->path);
    } else {
        ok = append_front(out, base);
    }
    if (absolute || *parts->path == '/')
        ok = ok && append_path(out, out->size, parts->path, parts->query);
    else if (!is_empty(parts->path, parts->query))
        ok = ok && append_merged(out, base->path, parts);
    else
        ok = ok &&
             append(out, base->path,
                    is_empty(parts->query, parts->end) ? base->path + strlen(base->path)
                                                       : base->path + strcspn(base->path, "?"));
    return ok && append(out, parts->query, parts->end) ? NULL : no_memory;
}

/* ------------------------------------------------------------------------- for the caller */

bool steady_reference_same_server(const struct steady_url *a, const struct steady_url *b)
{
    bool same_socket =
        a->socket && b->socket ? !strcmp(a->socket, b->socket) : a->socket == b->socket;
    bool same_zone = a->zone && b->zone ? !strcmp(a->zone, b->zone) : a->zone == b->zone;
    return same_socket && same_zone && a->secure == b->secure && a->port == b->port &&
           !strcmp(a->host, b->host);
}

static bool copy_credentials(struct steady_url *url, const struct steady_url *base)
{
    if (url->user || !base->user || !steady_reference_same_server(url, base))
        return true;
    url->user = strdup(base->user);
    url->password = base->password ? strdup(base->password) : NULL;
    return url->user && (url->password || !base->password);
}

const char *steady_reference_resolve(struct steady_url *url, const struct steady_url *base,
                                     const char *reference)
{
    struct steady_buffer text = {0};
    struct parts parts = take_apart(reference);
    *url = (struct steady_url){0};
    const char *wrong = put_together(&text, base, &parts);
    if (!wrong)
        wrong = steady_url_parse(url, (char *)text.data, text.size);
    steady_buffer_free(&text);
    if (wrong || copy_credentials(url, base))
        return wrong;
    steady_url_free(url);
    return no_memory;
}
