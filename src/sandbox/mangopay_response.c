/* Idempotency: a key is burnt by its first call, whatever became of it; the answer is never given
 * again, but can be read for a day. And the counters of the rate limits, which are told, and only
 * enforced by a fault. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { KEPT_S = 86400, KEY_MIN = 16, KEY_MAX = 36 };

static bool is_key(const char *key)
{
    size_t len = strlen(key);
    return len >= KEY_MIN && len <= KEY_MAX &&
           strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-") == len;
}

bool mango_key_claim(struct mango_call *call)
{
    const char *key = call->api.entry.idempotency_key;
    struct arena *arena = call->arena;
    if (*key == '\0' || strcmp(call->request->method, "POST") != 0)
        return true;
    if (!is_key(key)) {
        mango_error_param(call, "Idempotency-Key",
                          "The Idempotency-Key must be 16 to 36 letters, digits and dashes.");
        return false;
    }
    mango_lock();
    const struct json *known = mango_get(arena, "response", key);
    bool burnt = known != NULL && mango_now_s() - mango_int(known, "At") < KEPT_S;
    if (!burnt) {
        struct json *claim = mango_object(arena);
        mango_set_int(arena, claim, "At", mango_now_s());
        mango_put(arena, "response", key, claim);
    }
    mango_unlock();
    if (burnt)
        mango_error(call, 409, "idempotent_creation_conflict",
                    "A resource has already been created with this Idempotency Key", NULL);
    return !burnt;
}

void mango_key_answered(struct mango_call *call)
{
    const char *key = call->api.entry.idempotency_key;
    struct arena *arena = call->arena;
    struct json *claim = mango_get(arena, "response", key), *resource;
    struct tm parts;
    char date[64];
    time_t now = (time_t)mango_now_s();
    if (*key == '\0' || claim == NULL || strcmp(call->request->method, "POST") != 0)
        return;
    const struct buf *body = &call->response->body;
    if (json_parse(arena, buf_text(body), body->len, &resource) != ERR_NONE)
        return;
    (void)gmtime_r(&now, &parts);
    (void)strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    mango_set_text(arena, claim, "StatusCode", mango_print(arena, "%d", call->response->status));
    mango_set_text(arena, claim, "ContentLength", mango_print(arena, "%zu", body->len));
    mango_set_text(arena, claim, "ContentType", "application/json; charset=utf-8");
    mango_set_text(arena, claim, "Date", date);
    mango_set_text(arena, claim, "RequestURL",
                   mango_print(arena, "%s%s", sandbox_settings()->public_url, call->request->path));
    mango_set(arena, claim, "Resource", resource);
    mango_put(arena, "response", key, claim);
}

void mango_response_view(struct mango_call *call)
{
    static const char *const members[] = {"StatusCode", "ContentLength", "ContentType",
                                          "Date",       "RequestURL",    "Resource"};
    struct json *view = mango_object(call->arena);
    const struct json *kept = mango_get(call->arena, "response", call->id);
    if (json_get(kept, "StatusCode") == NULL || mango_now_s() - mango_int(kept, "At") >= KEPT_S) {
        mango_error_missing(call, "Response", call->id);
        return;
    }
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        mango_set(call->arena, view, members[i], json_get(kept, members[i]));
    mango_answer(call, view);
}

/* --- rate limits --- */

static struct {
    pthread_mutex_t mutex;
    struct {
        int64_t start_s, made;
    } windows[4];
} rates = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* The windows roll: Mangopay's own library tells them apart by how far away their ends are. */
void mango_rate_headers(struct mango_call *call)
{
    static const struct {
        int64_t length_s, limit;
    } limits[4] = {{900, 2300}, {1800, 4500}, {3600, 8800}, {86400, 105600}};
    int64_t now = mango_now_s(), made[4], ends[4];
    (void)pthread_mutex_lock(&rates.mutex);
    for (size_t i = 0; i < 4; i++) {
        if (now - rates.windows[i].start_s >= limits[i].length_s) {
            rates.windows[i].start_s = now;
            rates.windows[i].made = 0;
        }
        made[i] = ++rates.windows[i].made;
        ends[i] = now + limits[i].length_s;
    }
    (void)pthread_mutex_unlock(&rates.mutex);
    for (size_t i = 0; i < 4; i++) {
        int64_t left = limits[i].limit > made[i] ? limits[i].limit - made[i] : 0;
        if (i == 0 && call->limited_s > 0) {
            left = 0;
            ends[i] = now + call->limited_s;
        }
        http_header_add(call->response, "X-RateLimit",
                        mango_print(call->arena, "%lld", (long long)made[i]));
        http_header_add(call->response, "X-RateLimit-Remaining",
                        mango_print(call->arena, "%lld", (long long)left));
        http_header_add(call->response, "X-RateLimit-Reset",
                        mango_print(call->arena, "%lld", (long long)ends[i]));
    }
}
