/* Owns every object that is no PayIn: JSON by kind and id, in memory, and one line for every state
 * in a file beside the sessions' journal. Must not know what an object means. */
#include "sandbox/mangopay.h"

#include "sandbox/settings.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUCKETS = 1 << 14, KIND_MAX = 24, KINDS = 32, LINE_ARENA = 4 * 1024 * 1024 };

/* Texts are never freed: whoever was given one reads it without holding the mutex. */
struct text {
    struct text *older;
    char bytes[];
};

struct entry {
    char kind[KIND_MAX], id[MANGO_ID_MAX];
    struct text *text;
    struct entry *next;
};

/* All objects of one kind, in the order of creation. */
struct row {
    char kind[KIND_MAX];
    struct entry **all;
    size_t count, room;
};

static struct {
    pthread_mutex_t mutex;
    struct entry *buckets[BUCKETS];
    struct row rows[KINDS];
    int file; /* 0: nothing is kept */
} store = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void *must(void *piece)
{
    if (piece == NULL)
        abort();
    return piece;
}

/* FNV-1a over both. */
static size_t bucket_of(const char *kind, const char *id)
{
    uint32_t hash = 2166136261u;
    for (; *kind != '\0'; kind++)
        hash = (hash ^ (unsigned char)*kind) * 16777619u;
    for (; *id != '\0'; id++)
        hash = (hash ^ (unsigned char)*id) * 16777619u;
    return hash % BUCKETS;
}

static struct entry *find(const char *kind, const char *id)
{
    struct entry *entry = store.buckets[bucket_of(kind, id)];
    while (entry != NULL && (strcmp(entry->kind, kind) != 0 || strcmp(entry->id, id) != 0))
        entry = entry->next;
    return entry;
}

/* The kind's row; NULL: there is none, and add is false. */
static struct row *row_of(const char *kind, bool add)
{
    for (size_t i = 0; i < KINDS; i++) {
        struct row *row = &store.rows[i];
        if (strcmp(row->kind, kind) == 0)
            return row;
        if (row->kind[0] == '\0')
            return add && text_copy(row->kind, sizeof row->kind, kind) ? row : NULL;
    }
    return NULL;
}

static void link_entry(struct entry *entry)
{
    struct row *row = must(row_of(entry->kind, true));
    if (row->count == row->room) {
        row->room = row->room == 0 ? 64 : row->room * 2;
        row->all = must(realloc(row->all, row->room * sizeof(struct entry *)));
    }
    row->all[row->count++] = entry;
}

static void keep(const char *kind, const char *id, const char *text)
{
    struct entry *entry = find(kind, id);
    if (entry == NULL) {
        struct entry **bucket = &store.buckets[bucket_of(kind, id)];
        entry = must(calloc(1, sizeof *entry));
        if (!text_copy(entry->kind, sizeof entry->kind, kind) ||
            !text_copy(entry->id, sizeof entry->id, id))
            abort();
        entry->next = *bucket;
        *bucket = entry;
        link_entry(entry);
    }
    size_t len = strlen(text);
    struct text *newest = must(malloc(sizeof *newest + len + 1));
    memcpy(newest->bytes, text, len + 1);
    newest->older = entry->text;
    entry->text = newest;
}

void mango_put(struct arena *arena, const char *kind, const char *id, const struct json *object)
{
    const char *text = mango_write(arena, object);
    const char *line =
        mango_print(arena, "{\"kind\":\"%s\",\"id\":\"%s\",\"object\":%s}\n", kind, id, text);
    (void)pthread_mutex_lock(&store.mutex);
    keep(kind, id, text);
    /* what is not kept is only forgotten at the next start: no reason to fail a call */
    if (store.file != 0 && write(store.file, line, strlen(line)) < 0)
        store.file = 0;
    (void)pthread_mutex_unlock(&store.mutex);
}

struct json *mango_get(struct arena *arena, const char *kind, const char *id)
{
    (void)pthread_mutex_lock(&store.mutex);
    const struct entry *entry = find(kind, id);
    const char *text = entry == NULL ? NULL : entry->text->bytes;
    (void)pthread_mutex_unlock(&store.mutex);
    return text == NULL ? NULL : mango_parse(arena, text);
}

const char *mango_next(const char *kind, int64_t *cursor)
{
    const char *text = NULL;
    (void)pthread_mutex_lock(&store.mutex);
    const struct row *row = row_of(kind, false);
    if (row != NULL && (size_t)*cursor < row->count)
        text = row->all[(*cursor)++]->text->bytes;
    (void)pthread_mutex_unlock(&store.mutex);
    return text;
}

void mango_each(const char *kind, const char *member, const char *value,
                bool (*visit)(const struct json *object, void *context), void *context)
{
    struct arena *scratch = must(arena_new(ARENA_BYTES));
    const char *text;
    int64_t cursor = 0;
    bool more = true;
    while (more && (text = mango_next(kind, &cursor)) != NULL) {
        arena_reset(scratch);
        const struct json *object = mango_parse(scratch, text);
        if (member == NULL || strcmp(mango_text(object, member), value) == 0)
            more = visit(object, context);
    }
    arena_free(scratch);
}

/* --- the file --- */

static void read_line(struct arena *arena, const char *line, size_t len)
{
    struct json *root;
    if (json_parse(arena, line, len, &root) != ERR_NONE)
        return; /* cut short by the end of the program */
    const char *kind = json_get_text(root, "kind"), *id = json_get_text(root, "id");
    const struct json *object = json_get(root, "object");
    if (kind == NULL || id == NULL || object == NULL || strlen(kind) >= KIND_MAX ||
        strlen(id) >= MANGO_ID_MAX)
        return;
    struct json top = *object;
    top.key = NULL;
    top.next = NULL;
    keep(kind, id, mango_write(arena, &top));
}

static void read_file(const char *path)
{
    FILE *file = fopen(path, "re");
    struct arena *arena = must(arena_new(LINE_ARENA));
    char *line = NULL;
    size_t size = 0;
    ssize_t len;
    while (file != NULL && (len = getline(&line, &size, file)) > 0) {
        read_line(arena, line, (size_t)len);
        arena_reset(arena);
    }
    free(line);
    arena_free(arena);
    if (file != NULL)
        (void)fclose(file);
}

enum err mango_store_open(void)
{
    char path[CONF_TEXT_MAX + 16];
    const char *journal = sandbox_settings()->journal;
    if (*journal == '\0')
        return ERR_NONE;
    (void)snprintf(path, sizeof path, "%s.mangopay", journal);
    (void)pthread_mutex_lock(&store.mutex);
    read_file(path);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    store.file = file < 0 ? 0 : file;
    (void)pthread_mutex_unlock(&store.mutex);
    return file < 0 ? ERR_CONFIG : ERR_NONE;
}
