/* The append-only file of sessions: the last line about a session counts. A line cut short by the
 * end of the program is passed over. Must not lock and must not decide anything. */
#include "sandbox/session_file.h"

#include "sandbox/provider.h"

#include "base/arena.h"
#include "base/buf.h"
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_BYTES_MAX = 512 * 1024, FILE_ARENA = 4 * 1024 * 1024, TEXTS_MAX = 256 };

static struct {
    int file; /* 0: none is kept */
    struct arena *arena;
} kept;

static void write_attempt(struct json_out *out, const struct session_attempt *attempt)
{
    json_out_object(out, "attempt");
    json_out_text(out, "method", attempt->method);
    json_out_text(out, "reason", attempt->reason);
    json_out_int(out, "fees", attempt->fees);
    json_out_int(out, "received", attempt->received);
    json_out_text(out, "brand", attempt->brand);
    json_out_text(out, "last4", attempt->last4);
    json_out_text(out, "exp_month", attempt->exp_month);
    json_out_text(out, "exp_year", attempt->exp_year);
    json_out_text(out, "ip", attempt->ip);
    json_out_text(out, "agent", attempt->agent);
    json_out_close_object(out);
}

static void write_session(struct json_out *out, const struct session *session)
{
    json_out_object(out, NULL);
    json_out_text(out, "provider", session->provider->name);
    json_out_text(out, "id", session->id);
    json_out_text(out, "order_id", session->order_id);
    json_out_int(out, "amount", session->amount);
    json_out_text(out, "currency", session->currency);
    json_out_text(out, "ip", session->ip);
    json_out_text(out, "method", session->method);
    json_out_text(out, "body", session->body);
    json_out_int(out, "created_ms", session->created_ms);
    json_out_int(out, "changed_ms", session->changed_ms);
    json_out_int(out, "status", session->status);
    json_out_int(out, "charges", session->charges);
    write_attempt(out, &session->attempt);
    json_out_close_object(out);
}

void session_file_append(const struct session *session)
{
    struct buf line;
    if (kept.file == 0)
        return;
    arena_reset(kept.arena);
    buf_init(&line, kept.arena, LINE_BYTES_MAX);
    struct json_out *out = json_out_new(kept.arena, &line);
    if (out == NULL)
        return;
    write_session(out, session);
    enum err err = json_out_end(out);
    buf_puts(&line, "\n");
    /* a session that is not kept is only forgotten at the next start: no reason to fail a call */
    if (!err && write(kept.file, buf_text(&line), line.len) < 0)
        return;
}

/* Texts that outlive their line: methods and reasons, of which there are few. */
static const char *keep(const char *text)
{
    static char *texts[TEXTS_MAX];
    size_t i = 0;
    if (text == NULL)
        return NULL;
    while (i < TEXTS_MAX && texts[i] != NULL && strcmp(texts[i], text) != 0)
        i++;
    if (i == TEXTS_MAX)
        return NULL;
    if (texts[i] == NULL)
        texts[i] = strdup(text);
    return texts[i];
}

static bool read_text(const struct json *object, const char *key, char *to, size_t size)
{
    const char *text = json_get_text(object, key);
    return text != NULL && text_copy(to, size, text);
}

static bool read_attempt(const struct json *object, struct session_attempt *attempt)
{
    attempt->method = keep(json_get_text(object, "method"));
    attempt->reason = keep(json_get_text(object, "reason"));
    return json_int(json_get(object, "fees"), &attempt->fees) &&
           json_int(json_get(object, "received"), &attempt->received) &&
           read_text(object, "brand", attempt->brand, sizeof attempt->brand) &&
           read_text(object, "last4", attempt->last4, sizeof attempt->last4) &&
           read_text(object, "exp_month", attempt->exp_month, sizeof attempt->exp_month) &&
           read_text(object, "exp_year", attempt->exp_year, sizeof attempt->exp_year) &&
           read_text(object, "ip", attempt->ip, sizeof attempt->ip) &&
           read_text(object, "agent", attempt->agent, sizeof attempt->agent);
}

static bool read_session(const struct json *line, struct session *session)
{
    int64_t status, charges;
    const char *provider = json_get_text(line, "provider");
    session->provider = provider == NULL ? NULL : provider_find(provider);
    session->order_id = json_get_text(line, "order_id");
    session->method = keep(json_get_text(line, "method"));
    session->body = json_get_text(line, "body");
    if (session->provider == NULL || session->order_id == NULL || session->body == NULL ||
        !json_int(json_get(line, "status"), &status) || status < SESSION_NEW ||
        status >= SESSION_STATUSES || !json_int(json_get(line, "charges"), &charges))
        return false;
    session->body_len = strlen(session->body);
    session->status = (enum session_status)status;
    session->charges = (int)charges;
    return read_text(line, "id", session->id, sizeof session->id) &&
           read_text(line, "currency", session->currency, sizeof session->currency) &&
           read_text(line, "ip", session->ip, sizeof session->ip) &&
           json_int(json_get(line, "amount"), &session->amount) &&
           json_int(json_get(line, "created_ms"), &session->created_ms) &&
           json_int(json_get(line, "changed_ms"), &session->changed_ms) &&
           read_attempt(json_get(line, "attempt"), &session->attempt);
}

static void read_file(FILE *file, void (*restore)(const struct session *session))
{
    char *text = NULL;
    size_t size = 0;
    ssize_t len;
    while ((len = getline(&text, &size, file)) > 0) {
        struct json *line;
        struct session session = {.number = 0};
        arena_reset(kept.arena);
        if (json_parse(kept.arena, text, (size_t)len, &line) == ERR_NONE &&
            read_session(line, &session))
            restore(&session);
    }
    free(text);
}

enum err session_file_open(const char *path, void (*restore)(const struct session *session))
{
    if (*path == '\0')
        return ERR_NONE;
    int descriptor = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
    int reading = descriptor < 0 ? -1 : dup(descriptor);
    FILE *file = reading < 0 ? NULL : fdopen(reading, "r");
    kept.arena = arena_new(FILE_ARENA);
    if (file == NULL || kept.arena == NULL)
        return ERR_CONFIG;
    read_file(file, restore);
    (void)fclose(file);
    kept.file = descriptor;
    return write(descriptor, "\n", 1) == 1 ? ERR_NONE : ERR_CONFIG; /* ends a line cut short */
}
