/* Values on their way to a real database and back. See database.h. */
#include "database.h"

/* Values of every kind go in and come out as they were, the largest and the emptiest too. */
static enum err values_unit(struct db *db, void *context)
{
    static const struct {
        const char *path, *key;
    } texts[] = {{"/a", "plain"},
                 {"/b", "quote ' and \" and \\"},
                 {"/c", "; DROP TABLE payments"},
                 {"/d", "%s ? --"}};
    static unsigned char hash[32] = {0, 1, 255, '\'', '\\', 0};
    static char body[60000];
    (void)context;
    memset(body, '\'', sizeof body);
    for (size_t i = 0; i < COUNT(texts); i++) {
        size_t len = i * 20000;
        assert_int_equal(db_run(db, SQL_KEY_PUT, DB_INT(user_id), DB_TEXT(texts[i].path),
                                DB_TEXT(texts[i].key), DB_BYTES(hash, 32), DB_NOTHING, DB_INT(200),
                                DB_BYTES(body, len)),
                         ERR_NONE);
        assert_int_equal(db_affected(db), 1);
        assert_int_equal(
            db_run(db, SQL_KEY_GET, DB_INT(user_id), DB_TEXT(texts[i].path), DB_TEXT(texts[i].key)),
            ERR_NONE);
        assert_true(db_next(db));
        assert_int_equal(db_len(db, 0), 32);
        assert_memory_equal(db_text(db, 0), hash, 32);
        assert_true(db_null(db, 1));
        assert_string_equal(db_text(db, 1), "");
        assert_int_equal(db_int(db, 1), 0);
        assert_int_equal(db_int(db, 2), 200);
        assert_int_equal(db_len(db, 3), len);
        assert_memory_equal(db_text(db, 3), body, len);
        assert_false(db_next(db));
        assert_false(db_next(db));
    }
    return ERR_INTERNAL;
}

static void values_round_trip(void **state)
{
    (void)state;
    arena_reset(arena);
    assert_int_equal(db_transact(pool, arena, values_unit, NULL), ERR_INTERNAL);
}

static enum err large_row_unit(struct db *db, void *context)
{
    (void)context;
    static char body[60000];
    static const unsigned char hash[32];
    enum err err = db_run(db, SQL_KEY_PUT, DB_INT(user_id), DB_TEXT("/x"), DB_TEXT("x"),
                          DB_BYTES(hash, 32), DB_NOTHING, DB_INT(200), DB_BYTES(body, sizeof body));
    return err ? err : db_run(db, SQL_KEY_GET, DB_INT(user_id), DB_TEXT("/x"), DB_TEXT("x"));
}

static enum err nothing_unit(struct db *db, void *context)
{
    (void)db;
    (void)context;
    return ERR_NONE;
}

static void row_beyond_the_arena_is_an_overload(void **state)
{
    struct arena *small = arena_new(32 * 1024);
    (void)state;
    assert_int_equal(db_transact(pool, small, large_row_unit, NULL), ERR_OVERLOAD);
    arena_free(small);
    arena_reset(arena);
    assert_int_equal(db_query(pool, arena, nothing_unit, NULL), ERR_NONE); /* still usable */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(values_round_trip),
        TEST(row_beyond_the_arena_is_an_overload),
    };
    int exit_code;
    if (!database_is_named("values", &exit_code))
        return exit_code;
    return cmocka_run_group_tests_name("values", tests, database_open, database_close);
}
