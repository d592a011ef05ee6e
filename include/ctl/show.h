/* What commands print: one document of sections, as JSON or as text for people. Everything that
 * leaves the program passes through here, so nothing foreign can speak to the terminal. */
#ifndef CTL_SHOW_H
#define CTL_SHOW_H

#include "base/buf.h"
#include "ctl/ctl.h"
#include "store/inspect.h"

enum column_kind {
    COLUMN_END,
    COLUMN_TEXT,
    COLUMN_NUMBER,
    COLUMN_BOOL,
    COLUMN_TIME,  /* RFC 3339 */
    COLUMN_MONEY, /* minor units; the currency is another column */
    COLUMN_BLOCK, /* a text of lines; of a single row only */
};

/* A column of rows, in their order; the list ends with COLUMN_END. */
struct column {
    enum column_kind kind;
    const char *key;   /* the JSON member; NULL: the row is this text alone */
    const char *title; /* for people; NULL: not for them */
    size_t currency;   /* COLUMN_MONEY: index of the column with its currency */
    bool aside;        /* only where a row stands alone: a table has no room for it */
};

/* Rows of a list of columns. */
#define COLUMN(kind, key, title)                                                                   \
    {                                                                                              \
        COLUMN_##kind, key, title, 0, false                                                        \
    }
#define COLUMN_AMOUNT(key, title, currency)                                                        \
    {                                                                                              \
        COLUMN_MONEY, key, title, currency, false                                                  \
    }
#define COLUMN_ASIDE(kind, key, title)                                                             \
    {                                                                                              \
        COLUMN_##kind, key, title, 0, true                                                         \
    }

enum section_shape {
    SECTION_FIELDS, /* the first row's members stand in the document itself */
    SECTION_OBJECT, /* one row as a member of its own, null when there is none */
    SECTION_LIST,
};

struct section {
    enum section_shape shape;
    const char *key;   /* of an object or list */
    const char *title; /* for people; NULL: it needs none */
    const struct column *columns;
    struct inspect_rows rows;
};

/* Prints the document. note: a line for people below it, NULL: none. Returns an enum ctl_exit. */
int show(const struct ctl *ctl, const struct section *sections, size_t count, const char *note);

/* A list of up to `limit` rows that was asked for with one row more: the last becomes the cursor of
 * the next page, or null. cursor: the column that pages go by. */
int show_page(const struct ctl *ctl, struct section *section, int64_t limit, size_t cursor);

/* Lines of a report as a list of texts. False when the arena is full. */
bool show_lines(const struct ctl *ctl, const char *report, struct inspect_rows *ret_rows);

/* Adds text with everything written as \u009b or \xff that a terminal might obey, that would hide
 * or reorder what stands there, or that is no UTF-8. */
void show_safe(struct buf *to, const char *text, size_t len);

#endif
