/* The folder in which the demo's mail catcher keeps mails: a Maildir, which is only read. */
#ifndef SANDBOX_MAIL_BOX_H
#define SANDBOX_MAIL_BOX_H

#include "sandbox/mail_parts.h"

#include "base/err.h"

#include <stdint.h>

#define MAIL_NAME_MAX 256

struct mail_entry {
    char name[MAIL_NAME_MAX]; /* of its file */
    int64_t time_ns;          /* when it was caught */
};

/* Writes the newest mails, newest first, and returns how many were written; *ret_total: how many
 * there are. A folder that is not there yet, or "", is empty. */
size_t mail_box_list(const char *folder, struct mail_entry *ret_list, size_t max,
                     size_t *ret_total);

/* The first MAIL_MAX bytes of the file of that name; *ret_cut: it has more. ERR_NOT_FOUND when
 * there is none. */
enum err mail_box_load(struct arena *arena, const char *folder, const char *name,
                       struct slice *ret_raw, bool *ret_cut) MUST_CHECK;

#endif
