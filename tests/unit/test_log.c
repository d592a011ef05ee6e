/* Log lines: each is one JSON object written by one write, whatever its texts hold, and one that
 * would be too long ends at a field. */
#include "check.h"

#include "base/json.h"
#include "base/log.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* Standard error, caught in a pipe while one line is written. */
static char line[70000];
static size_t line_len;
static int pipe_ends[2], real_stderr;

static void catch_start(void)
{
    assert_int_equal(pipe(pipe_ends), 0);
    real_stderr = dup(STDERR_FILENO);
    assert_int_equal(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
}

static void catch_end(void)
{
    assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
    (void)close(real_stderr);
    (void)close(pipe_ends[1]);
    ssize_t len = read(pipe_ends[0], line, sizeof line - 1);
    (void)close(pipe_ends[0]);
    line_len = len > 0 ? (size_t)len : 0;
    line[line_len] = '\0';
}

/* The line as an object; every other property of a line is checked on the way. */
static const struct json *parse_line(struct arena *arena)
{
    struct json *root = NULL;
    assert_true(line_len > 1);
    assert_ptr_equal(strchr(line, '\n'), line + line_len - 1);
    ROW(json_parse(arena, line, line_len - 1, &root) == ERR_NONE, "no JSON: %s", line);
    ROW(root == NULL || root->type == JSON_OBJECT, "no object: %s", line);
    return root;
}

static void fields_in_their_order(void **state)
{
    catch_start();
    LOG(LOG_INFO, "request", LOG_TEXT("route", "/payment/*"), LOG_NUMBER("status", 200),
        LOG_TEXT("error", ""), LOG_NUMBER("user", 76561198000000001), LOG_NUMBER("zero", 0),
        LOG_NUMBER("least", INT64_MIN));
    catch_end();
    const struct json *root = parse_line(*state);
    const char *time = json_get_text(root, "time");
    assert_int_equal(strlen(time), sizeof "2024-02-01T00:00:00.000Z" - 1);
    assert_true(time[10] == 'T' && time[19] == '.' && time[23] == 'Z');
    assert_non_null(strstr(line, "\"level\":\"info\",\"program\":\"guichet\",\"event\":\"request\","
                                 "\"route\":\"/payment/*\",\"status\":200,"
                                 "\"user\":76561198000000001,\"zero\":0,"
                                 "\"least\":-9223372036854775808}\n"));
    assert_null(json_get(root, "error")); /* empty texts are left out */
    ROWS_END();
}

static void levels_and_program(void **state)
{
    static const struct {
        enum log_level level;
        const char *name;
    } rows[] = {{LOG_ERROR, "error"}, {LOG_WARN, "warn"}, {LOG_INFO, "info"}};
    log_program("guichet-test");
    for (size_t i = 0; i < COUNT(rows); i++) {
        catch_start();
        LOG(rows[i].level, "start", LOG_TEXT("note", NULL));
        catch_end();
        const struct json *root = parse_line(*state);
        ROW(strcmp(json_get_text(root, "level"), rows[i].name) == 0, "%s", line);
        ROW(strcmp(json_get_text(root, "program"), "guichet-test") == 0, "%s", line);
    }
    log_program("guichet");
    ROWS_END();
}

/* No text can end its line, its quotes or its object. */
static void texts_are_escaped(void **state)
{
    static const char *const rows[] = {
        "\"",
        "\\",
        "a\"b\\c",
        "\",\"level\":\"error",
        "\n{\"time\":\"forged\"}\n",
        "\r\n\t\b\f\v\x01\x1f\x7f",
        "\x1b[31mred",
        "\xe2\x82\xac \xf0\x9f\x98\x80",
        "</script>",
        "%s%n%d",
    };
    for (size_t i = 0; i < COUNT(rows); i++) {
        catch_start();
        LOG(LOG_WARN, "odd", LOG_TEXT("text", rows[i]), LOG_NUMBER("after", 1));
        catch_end();
        const struct json *root = parse_line(*state);
        const char *text = json_get_text(root, "text");
        ROW(text != NULL && strcmp(text, rows[i]) == 0, "row %zu came back as %s", i, line);
        ROW(json_get(root, "after") != NULL, "row %zu: %s", i, line);
        for (size_t k = 0; k + 1 < line_len; k++)
            ROW((unsigned char)line[k] >= 0x20 && line[k] != 0x7f, "row %zu: byte %02x", i,
                (unsigned)line[k]);
    }
    ROWS_END();
}

/* The line is cut before the field that does not fit, at whatever length that happens. */
static void long_lines_end_at_a_field(void **state)
{
    static char text[70000];
    bool kept_last = false, cut_last = false;
    for (size_t len = 3900; len < 4200; len += len < 4100 ? 1 : 50) {
        arena_reset(*state);
        memset(text, 'x', len);
        text[len] = '\0';
        catch_start();
        LOG(LOG_ERROR, "long", LOG_TEXT("first", "1"), LOG_TEXT("text", text),
            LOG_NUMBER("last", 1));
        catch_end();
        const struct json *root = parse_line(*state);
        const char *there = json_get_text(root, "text");
        ROW(json_get(root, "first") != NULL, "%zu: %s", len, line);
        ROW(there == NULL || strlen(there) == len, "%zu: cut inside a field", len);
        ROW(line_len <= 4096, "%zu: a line of %zu bytes", len, line_len);
        kept_last |= json_get(root, "last") != NULL;
        cut_last |= json_get(root, "last") == NULL;
    }
    assert_true(kept_last && cut_last);
    memset(text, '"', sizeof text - 1);
    catch_start();
    LOG(LOG_ERROR, "long", LOG_TEXT("text", text));
    catch_end();
    assert_null(json_get(parse_line(*state), "text"));
    ROWS_END();
}

static void closed_stderr_is_survived(void **state)
{
    (void)state;
    real_stderr = dup(STDERR_FILENO);
    (void)close(STDERR_FILENO);
    LOG(LOG_ERROR, "nobody listens", LOG_NUMBER("n", 1));
    assert_int_equal(dup2(real_stderr, STDERR_FILENO), STDERR_FILENO);
    (void)close(real_stderr);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST_ARENA(fields_in_their_order), TEST_ARENA(levels_and_program),
        TEST_ARENA(texts_are_escaped),     TEST_ARENA(long_lines_end_at_a_field),
        TEST(closed_stderr_is_survived),
    };
    return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
