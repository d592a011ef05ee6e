/* Prints documents. Every byte that came from elsewhere passes show_safe on its way out. */
#include "ctl/show.h"

#include "base/json.h"
#include "domain/money.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 8 * 1024 * 1024, GAP = 2, CELL_BYTES = 64 * 1024 * 6 };

/* Controls, also those beyond ASCII; what is invisible, breaks lines or turns their direction. */
static const struct {
    uint32_t first, last;
} unsafe[] = {{0, 0x1f},        {0x7f, 0x9f},     {0x61c, 0x61c},  {0x200b, 0x200f},
              {0x2028, 0x202e}, {0x2060, 0x206f}, {0xfeff, 0xfeff}};

static bool is_unsafe(uint32_t character)
{
    for (size_t i = 0; i < sizeof unsafe / sizeof unsafe[0]; i++)
        if (character >= unsafe[i].first && character <= unsafe[i].last)
            return true;
    return false;
}

/* The bytes of the character at text, and which it is; 0 when it is no UTF-8. */
static size_t read_character(const char *text, size_t left, uint32_t *ret_character)
{
    const unsigned char *at = (const unsigned char *)text;
    size_t len = at[0] < 0x80 ? 1 : at[0] >= 0xf0 ? 4 : at[0] >= 0xe0 ? 3 : 2;
    if (len > left || (at[0] != 0 && !utf8_valid(text, len)))
        return 0;
    uint32_t character = len == 1 ? at[0] : at[0] & (0x7fU >> len);
    for (size_t i = 1; i < len; i++)
        character = character << 6 | (at[i] & 0x3fU);
    *ret_character = character;
    return len;
}

void show_safe(struct buf *to, const char *text, size_t len)
{
    while (len > 0) {
        uint32_t character = 0;
        size_t step = read_character(text, len, &character);
        if (step == 0)
            buf_printf(to, "\\x%02x", (unsigned)(unsigned char)*text);
        else if (is_unsafe(character))
            buf_printf(to, "\\u%04x", (unsigned)character);
        else
            buf_add(to, text, step);
        step += step == 0;
        text += step;
        len -= step;
    }
}

static int write_out(const struct ctl *ctl, const struct buf *text)
{
    if (!buf_ok(text))
        return ctl_report(ctl, ERR_OVERLOAD);
    (void)fwrite(buf_text(text), 1, text->len, stdout);
    if (fflush(stdout) == 0)
        return CTL_FINE;
    return errno == EPIPE ? CTL_WRONG : ctl_refuse(ctl, CTL_WRONG, "cannot write: %m");
}

/* --- JSON --- */

static int64_t number_of(const char *cell)
{
    return strtoll(cell, NULL, 10);
}

static void write_cell(struct json_out *out, const struct column *column, const char *cell)
{
    if (cell == NULL) {
        json_out_text(out, column->key, NULL);
        return;
    }
    switch (column->kind) {
    case COLUMN_NUMBER:
    case COLUMN_MONEY:
        json_out_int(out, column->key, number_of(cell));
        return;
    case COLUMN_BOOL:
        json_out_bool(out, column->key, number_of(cell) != 0);
        return;
    case COLUMN_TEXT:
    case COLUMN_TIME:
    case COLUMN_BLOCK:
    case COLUMN_END:
        break;
    }
    json_out_text(out, column->key, cell);
}

static void write_row(struct json_out *out, const struct section *section, size_t row)
{
    for (size_t i = 0; section->columns[i].kind != COLUMN_END; i++)
        write_cell(out, &section->columns[i], inspect_cell(&section->rows, row, i));
}

static void write_list(struct json_out *out, const struct section *section)
{
    bool plain = section->columns[0].key == NULL;
    json_out_array(out, section->key);
    for (size_t row = 0; row < section->rows.count; row++) {
        if (!plain)
            json_out_object(out, NULL);
        write_row(out, section, row);
        if (!plain)
            json_out_close_object(out);
    }
    json_out_close_array(out);
}

static void write_section(struct json_out *out, const struct section *section)
{
    switch (section->shape) {
    case SECTION_FIELDS:
        if (section->rows.count > 0)
            write_row(out, section, 0);
        return;
    case SECTION_OBJECT:
        if (section->rows.count == 0) {
            json_out_text(out, section->key, NULL);
            return;
        }
        json_out_object(out, section->key);
        write_row(out, section, 0);
        json_out_close_object(out);
        return;
    case SECTION_LIST:
        write_list(out, section);
    }
}

/* Inside JSON the escapes of show_safe mean the same: they stand in texts only. */
static int show_json(const struct ctl *ctl, const struct section *sections, size_t count)
{
    struct buf text, safe;
    buf_init(&text, ctl->arena, TEXT_BYTES);
    buf_init(&safe, ctl->arena, TEXT_BYTES);
    struct json_out *out = json_out_new(ctl->arena, &text);
    if (out == NULL)
        return ctl_report(ctl, ERR_OVERLOAD);
    json_out_object(out, NULL);
    for (size_t i = 0; i < count; i++)
        write_section(out, &sections[i]);
    json_out_close_object(out);
    enum err err = json_out_end(out);
    if (err)
        return ctl_report(ctl, err);
    show_safe(&safe, text.data, text.len);
    buf_puts(&safe, "\n");
    return write_out(ctl, &safe);
}

/* --- text --- */

static bool is_shown(const struct column *column, bool alone)
{
    return column->title != NULL && (alone || !column->aside);
}

static const char *show_money(const struct section *section, size_t row, size_t column,
                              struct buf *to)
{
    const char *currency = inspect_cell(&section->rows, row, section->columns[column].currency);
    int64_t units = number_of(inspect_cell(&section->rows, row, column));
    char text[MONEY_TEXT_MAX];
    struct money money;
    if (currency == NULL || !money_make(units, currency, &money))
        return inspect_cell(&section->rows, row, column);
    money_format(&money, text);
    buf_printf(to, "%s %s", text, currency);
    return buf_text(to);
}

/* "2026-11-28T20:35:09.123Z" is "2026-11-28 20:35:09Z" for people. */
static const char *show_time(const char *cell, struct buf *to)
{
    if (strlen(cell) < 20)
        return cell;
    buf_printf(to, "%.10s %.8sZ", cell, cell + 11);
    return buf_text(to);
}

/* A cell as people read it; safe, in the arena. */
static const char *show_cell(const struct ctl *ctl, const struct section *section, size_t row,
                             size_t column)
{
    const char *cell = inspect_cell(&section->rows, row, column), *text = cell;
    struct buf piece, safe;
    if (cell == NULL)
        return "-";
    buf_init(&piece, ctl->arena, CELL_BYTES);
    buf_init(&safe, ctl->arena, CELL_BYTES);
    switch (section->columns[column].kind) {
    case COLUMN_BOOL:
        return number_of(cell) != 0 ? "yes" : "no";
    case COLUMN_TIME:
        text = show_time(cell, &piece);
        break;
    case COLUMN_MONEY:
        text = show_money(section, row, column, &piece);
        break;
    case COLUMN_NUMBER:
    case COLUMN_TEXT:
    case COLUMN_BLOCK:
    case COLUMN_END:
        break;
    }
    show_safe(&safe, text, strlen(text));
    return buf_text(&safe);
}

/* Columns of a terminal are, near enough, characters. */
static void add_padded(struct buf *to, const char *text, size_t width, bool right)
{
    size_t own = utf8_length(text), blanks = own < width ? width - own : 0;
    if (right)
        buf_printf(to, "%*s", (int)blanks, "");
    buf_puts(to, text);
    if (!right)
        buf_printf(to, "%*s", (int)blanks, "");
}

static void end_line(struct buf *to)
{
    while (to->len > 0 && to->data[to->len - 1] == ' ')
        to->data[--to->len] = '\0';
    buf_puts(to, "\n");
}

/* Lines of a text, each of them safe. */
static void add_block(struct buf *to, const char *text)
{
    for (;;) {
        size_t len = strcspn(text, "\n");
        buf_puts(to, "  ");
        show_safe(to, text, len);
        buf_puts(to, "\n");
        if (text[len] == '\0')
            return;
        text += len + 1;
    }
}

static void add_fields(const struct ctl *ctl, struct buf *to, const struct section *section)
{
    size_t width = 0;
    const struct column *columns = section->columns;
    for (size_t i = 0; columns[i].kind != COLUMN_END; i++)
        if (is_shown(&columns[i], true) && columns[i].kind != COLUMN_BLOCK &&
            strlen(columns[i].title) > width)
            width = strlen(columns[i].title);
    for (size_t i = 0; columns[i].kind != COLUMN_END; i++) {
        const char *cell = inspect_cell(&section->rows, 0, i);
        if (!is_shown(&columns[i], true) || (columns[i].kind == COLUMN_BLOCK && cell == NULL))
            continue;
        if (columns[i].kind == COLUMN_BLOCK) {
            buf_printf(to, "\n%s\n", columns[i].title);
            add_block(to, cell);
            continue;
        }
        add_padded(to, columns[i].title, width + GAP, false);
        buf_puts(to, show_cell(ctl, section, 0, i));
        end_line(to);
    }
}

static bool leans_right(enum column_kind kind)
{
    return kind == COLUMN_NUMBER || kind == COLUMN_MONEY;
}

/* cells: what show_cell made of them; the row before the first is the titles. */
static void add_table(struct buf *to, const struct section *section, const char *const *cells,
                      const size_t *widths, const char *indent)
{
    size_t columns = section->rows.columns;
    for (size_t row = 0; row <= section->rows.count; row++) {
        buf_puts(to, indent);
        for (size_t i = 0; i < columns; i++) {
            if (!is_shown(&section->columns[i], false))
                continue;
            add_padded(to, cells[row * columns + i], widths[i],
                       leans_right(section->columns[i].kind));
            buf_printf(to, "%*s", GAP, "");
        }
        end_line(to);
    }
}

static const char *capitals(const struct ctl *ctl, const char *title)
{
    char *text = arena_strndup(ctl->arena, title, strlen(title));
    for (char *at = text; at != NULL && *at != '\0'; at++)
        *at = (char)toupper((unsigned char)*at);
    return text == NULL ? "" : text;
}

static void add_list(const struct ctl *ctl, struct buf *to, const struct section *section)
{
    size_t columns = section->rows.columns, rows = section->rows.count + 1;
    assert(section->columns[columns].kind == COLUMN_END);
    const char **cells = arena_alloc(ctl->arena, rows * columns * sizeof *cells);
    size_t *widths = arena_alloc(ctl->arena, columns * sizeof *widths);
    if (cells == NULL || widths == NULL) {
        to->failed = true;
        return;
    }
    for (size_t i = 0; i < columns; i++) {
        if (!is_shown(&section->columns[i], false))
            continue;
        for (size_t row = 0; row < rows; row++) {
            const char *text = row == 0 ? capitals(ctl, section->columns[i].title)
                                        : show_cell(ctl, section, row - 1, i);
            size_t width = utf8_length(text);
            cells[row * columns + i] = text;
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    add_table(to, section, cells, widths, section->title == NULL ? "" : "  ");
}

/* A list without titles is lines. */
static void add_lines(struct buf *to, const struct section *section)
{
    for (size_t row = 0; row < section->rows.count; row++) {
        const char *line = inspect_cell(&section->rows, row, 0);
        show_safe(to, line, strlen(line));
        buf_puts(to, "\n");
    }
}

static void add_section(const struct ctl *ctl, struct buf *to, const struct section *section)
{
    bool nameless = section->title == NULL;
    if (section->rows.count == 0) {
        if (nameless && section->shape == SECTION_LIST)
            buf_puts(to, "none\n");
        return;
    }
    if (!nameless)
        buf_printf(to, "\n%s\n", section->title);
    if (section->shape == SECTION_FIELDS)
        add_fields(ctl, to, section);
    else if (section->columns[0].key == NULL)
        add_lines(to, section);
    else
        add_list(ctl, to, section);
    if (section->rows.count == INSPECT_ROWS_MAX)
        buf_printf(to, "  (no more than %d are shown)\n", INSPECT_ROWS_MAX);
}

int show(const struct ctl *ctl, const struct section *sections, size_t count, const char *note)
{
    struct buf text;
    if (ctl->json)
        return show_json(ctl, sections, count);
    buf_init(&text, ctl->arena, TEXT_BYTES);
    for (size_t i = 0; i < count; i++)
        add_section(ctl, &text, &sections[i]);
    if (note != NULL)
        buf_printf(&text, "%s\n", note);
    return write_out(ctl, &text);
}

int show_page(const struct ctl *ctl, struct section *section, int64_t limit, size_t cursor)
{
    static const struct column columns[] = {COLUMN(TEXT, "cursor", NULL), {0}};
    struct inspect_rows *rows = &section->rows;
    const char *more[1] = {NULL};
    char note[128];
    if (rows->count > (size_t)limit) {
        rows->count = (size_t)limit;
        more[0] = inspect_cell(rows, rows->count - 1, cursor);
        (void)snprintf(note, sizeof note, "There are more: add --cursor %s, or --limit up to %d.",
                       more[0], CTL_LIMIT_MAX);
    }
    const struct section sections[] = {
        *section,
        {.shape = SECTION_FIELDS, .columns = columns, .rows = {1, 1, more}, .title = NULL}};
    return show(ctl, sections, 2, more[0] == NULL ? NULL : note);
}

bool show_lines(const struct ctl *ctl, const char *report, struct inspect_rows *ret_rows)
{
    size_t lines = 0;
    for (const char *at = report; *at != '\0'; at++)
        lines += *at == '\n';
    *ret_rows = (struct inspect_rows){.columns = 1};
    ret_rows->cells = arena_alloc(ctl->arena, (lines + 1) * sizeof *ret_rows->cells);
    if (ret_rows->cells == NULL)
        return false;
    for (; ret_rows->count < lines; ret_rows->count++) {
        size_t len = strcspn(report, "\n");
        const char *line = arena_strndup(ctl->arena, report, len);
        if (line == NULL)
            return false;
        ret_rows->cells[ret_rows->count] = line;
        report += len + 1;
    }
    return true;
}
