/* Lists and reads the files of a Maildir, those in new/ and those in cur/ alike.
 * Must not change anything there, and opens nothing that a name could lead out of it. */
#include "sandbox/mail_box.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_BYTES = 512 };

static const char *const drawers[] = {"new", "cur"};

enum { DRAWERS = sizeof drawers / sizeof drawers[0] };

static bool is_name(const char *name)
{
    return name[0] != '\0' && name[0] != '.' && strchr(name, '/') == NULL &&
           strlen(name) < MAIL_NAME_MAX;
}

static bool is_newer(const struct mail_entry *a, const struct mail_entry *b)
{
    return a->time_ns != b->time_ns ? a->time_ns > b->time_ns : strcmp(a->name, b->name) > 0;
}

/* Keeps the list in order and as long as it may be. */
static void insert(struct mail_entry *list, size_t *count, size_t max,
                   const struct mail_entry *entry)
{
    size_t at = *count;
    while (at > 0 && is_newer(entry, &list[at - 1]))
        at--;
    if (at == max)
        return;
    size_t moved = (*count < max ? *count : max - 1) - at;
    memmove(&list[at + 1], &list[at], moved * sizeof list[0]);
    list[at] = *entry;
    if (*count < max)
        (*count)++;
}

/* NULL when it is not there. */
static DIR *open_drawer(const char *folder, const char *drawer)
{
    char path[PATH_BYTES];
    int len = snprintf(path, sizeof path, "%s/%s", folder, drawer);
    return folder[0] == '\0' || len < 0 || len >= PATH_BYTES ? NULL : opendir(path);
}

size_t mail_box_list(const char *folder, struct mail_entry *ret_list, size_t max, size_t *ret_total)
{
    size_t count = 0;
    *ret_total = 0;
    for (int i = 0; i < DRAWERS; i++) {
        DIR *drawer = open_drawer(folder, drawers[i]);
        const struct dirent *file;
        while (drawer != NULL && (file = readdir(drawer)) != NULL) {
            struct stat about;
            struct mail_entry entry;
            if (!is_name(file->d_name) ||
                fstatat(dirfd(drawer), file->d_name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
                !S_ISREG(about.st_mode) || !text_copy(entry.name, sizeof entry.name, file->d_name))
                continue;
            entry.time_ns = (int64_t)about.st_mtim.tv_sec * 1000000000 + about.st_mtim.tv_nsec;
            insert(ret_list, &count, max, &entry);
            (*ret_total)++;
        }
        if (drawer != NULL)
            (void)closedir(drawer);
    }
    return count;
}

/* -1 when it is no file of the folder. */
static int open_mail(const char *folder, const char *name)
{
    int fd = -1;
    for (int i = 0; i < DRAWERS && fd < 0 && is_name(name); i++) {
        DIR *drawer = open_drawer(folder, drawers[i]);
        if (drawer == NULL)
            continue;
        fd = openat(dirfd(drawer), name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        (void)closedir(drawer);
    }
    return fd;
}

enum err mail_box_load(struct arena *arena, const char *folder, const char *name,
                       struct slice *ret_raw, bool *ret_cut)
{
    size_t len = 0;
    ssize_t got = 1;
    int fd = open_mail(folder, name);
    if (fd < 0)
        return ERR_NOT_FOUND;
    char *raw = arena_alloc(arena, MAIL_MAX + 1); /* one more, to see whether that is all */
    while (raw != NULL && got > 0 && len <= MAIL_MAX) {
        got = read(fd, raw + len, MAIL_MAX + 1 - len);
        len += got > 0 ? (size_t)got : 0;
    }
    (void)close(fd);
    if (raw == NULL)
        return ERR_OVERLOAD;
    if (got < 0)
        return ERR_NOT_FOUND;
    *ret_cut = len > MAIL_MAX;
    *ret_raw = (struct slice){raw, *ret_cut ? MAIL_MAX : len};
    return ERR_NONE;
}
