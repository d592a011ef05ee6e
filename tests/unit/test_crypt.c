/* Hashes against published vectors, strict hexadecimal and base64url, and the type of secrets. */
#include "check.h"

#include "base/crypt.h"

#include <string.h>

static void sha256_vectors(void **state)
{
    static const char *const rows[][2] = {
        {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char hash[CRYPT_HASH_BYTES];
        char text[2 * CRYPT_HASH_BYTES + 1];
        crypt_sha256(rows[i][0], strlen(rows[i][0]), hash);
        hex_encode(hash, sizeof hash, text);
        ROW(strcmp(text, rows[i][1]) == 0, "\"%s\": %s", rows[i][0], text);
    }
    ROWS_END();
}

/* RFC 4231, cases 1 to 4, 6 and 7; then the vector of Payviox's documentation. */
static void hmac_vectors(void **state)
{
    static const struct {
        const char *key;
        int repeat; /* times the key's text */
        const char *data;
        int data_repeat;
        const char *hash;
    } rows[] = {
        {"\x0b", 20, "Hi There", 1,
         "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
        {"Jefe", 1, "what do ya want for nothing?", 1,
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {"\xaa", 20, "\xdd", 50,
         "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
        {"\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12\x13\x14\x15\x16"
         "\x17\x18\x19",
         1, "\xcd", 50, "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
        {"\xaa", 131, "Test Using Larger Than Block-Size Key - Hash Key First", 1,
         "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
        {"\xaa", 131,
         "This is a test using a larger than block-size key and a larger than block-size data. The "
         "key needs to be hashed before being used by the HMAC algorithm.",
         1, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
        {"whk_test_token", 1, "{\"type\":\"succeeded\",\"order_id\":\"order_1\"}", 1,
         "50d5b34d307d37e94b8a39a78a2e0042e042442628808d08e593224fea8a3159"},
    };
    (void)state;
    for (size_t n = 0; n < 2 * COUNT(rows); n++) { /* more keys than a thread keeps */
        size_t i = n % COUNT(rows);
        char key[256] = "", data[256] = "", text[2 * CRYPT_HASH_BYTES + 1];
        unsigned char hash[CRYPT_HASH_BYTES];
        struct secret secret;
        for (int k = 0; k < rows[i].repeat; k++)
            memcpy(key + strlen(key), rows[i].key, strlen(rows[i].key) + 1);
        for (int k = 0; k < rows[i].data_repeat; k++)
            memcpy(data + strlen(data), rows[i].data, strlen(rows[i].data) + 1);
        assert_true(secret_set(&secret, key, strlen(key)));
        crypt_hmac_sha256(&secret, data, strlen(data), hash);
        hex_encode(hash, sizeof hash, text);
        ROW(strcmp(text, rows[i].hash) == 0, "row %zu: %s", i, text);
    }
    ROWS_END();
}

static void secrets_hold_their_bytes(void **state)
{
    struct secret secret = {0};
    char longest[SECRET_MAX];
    (void)state;
    assert_false(secret_is_set(&secret));
    memset(longest, 'k', sizeof longest);
    assert_false(secret_set(&secret, longest, SECRET_MAX));
    assert_false(secret_is_set(&secret));
    assert_true(secret_set(&secret, longest, SECRET_MAX - 1));
    assert_int_equal(strlen(secret_reveal(&secret)), SECRET_MAX - 1);
    assert_true(secret_set(&secret, "short", 5));
    assert_string_equal(secret_reveal(&secret), "short");
}

static void comparison_and_wiping(void **state)
{
    char bytes[32] = "abcdefghijklmnopqrstuvwxyz";
    (void)state;
    assert_true(crypt_equal("abc", "abc", 3));
    assert_true(crypt_equal("abc", "abd", 2));
    assert_true(crypt_equal("x", "y", 0));
    for (size_t i = 0; i < sizeof bytes; i++) {
        char other[32];
        memcpy(other, bytes, sizeof other);
        other[i] ^= 1;
        ROW(!crypt_equal(bytes, other, sizeof bytes), "byte %zu differs", i);
    }
    crypt_wipe(bytes, sizeof bytes);
    for (size_t i = 0; i < sizeof bytes; i++)
        ROW(bytes[i] == 0, "byte %zu is left", i);
    ROWS_END();
}

static void hex_is_strict(void **state)
{
    static const struct {
        const char *text;
        bool valid;
    } rows[] = {
        {"00ff7f80", true},  {"DEADBEEF", true},
        {"DeadBeef", true},  {"", false},
        {"00ff7f8", false},  {"00ff7f8000", false},
        {"00ff7f8g", false}, {"0x00ff7f", false},
        {" 0ff7f80", false}, {"00ff7f8 ", false},
        {"00 ff7f8", false}, {"00ff7f80\n", false},
        {"-0ff7f80", false}, {"\xff\xff\xff\xff\xff\xff\xff\xff", false},
        {"/0:0@0G0", false}, {"`0g0[0{0", false},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char bytes[4];
        char text[9];
        bool valid = hex_decode(rows[i].text, bytes, sizeof bytes);
        ROW(valid == rows[i].valid, "\"%s\"", rows[i].text);
        if (!valid)
            continue;
        hex_encode(bytes, sizeof bytes, text);
        ROW(strcasecmp(text, rows[i].text) == 0, "%s became %s", rows[i].text, text);
        ROW(strpbrk(text, "ABCDEF") == NULL, "%s is not lower case", text);
    }
    assert_true(hex_decode("", NULL, 0));
    ROWS_END();
}

/* RFC 4648 section 10 without padding, and the two letters that differ from base64. */
static void base64url_vectors(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xfb\xff", "-_8"},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16];
        unsigned char bytes[16];
        size_t len = 99;
        base64url_encode(rows[i][0], strlen(rows[i][0]), text);
        ROW(strcmp(text, rows[i][1]) == 0, "\"%s\" became %s", rows[i][0], text);
        ROW(strlen(text) < BASE64URL_SIZE(strlen(rows[i][0])), "%s: the size is short", text);
        ROW(base64url_decode(text, strlen(text), bytes, sizeof bytes, &len) &&
                len == strlen(rows[i][0]) && memcmp(bytes, rows[i][0], len) == 0,
            "%s does not come back", text);
    }
    ROWS_END();
}

static void base64url_is_strict(void **state)
{
    static const struct {
        const char *text;
        size_t len;
    } rows[] = {
        {"A", 1},          {"AAAAA", 5},    {"Zg==", 4},     {"Zg=", 3},  {"=", 1},
        {"Zm8=", 4},       {"Zh", 2},       {"Zv", 2},       {"Zm9", 3},  {"Zm-", 3},
        {"_-9", 3},        {"+_8A", 4},     {"-/8A", 4},     {"Zm 8", 4}, {" Zm8", 4},
        {"Zm8 ", 4},       {"Zm8\n", 4},    {"Zm8\0", 4},    {"\0\0", 2}, {"Zm.8", 4},
        {"Z\xc3\xa9g", 4}, {"\xff\xff", 2}, {"Zm9v====", 8},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        unsigned char bytes[16];
        size_t len;
        ROW(!base64url_decode(rows[i].text, rows[i].len, bytes, sizeof bytes, &len),
            "row %zu: took \"%s\"", i, rows[i].text);
    }
    ROWS_END();
}

static void base64url_knows_its_room(void **state)
{
    unsigned char bytes[3];
    size_t len = 99;
    (void)state;
    assert_true(base64url_decode("Zm9v", 4, bytes, 3, &len));
    assert_int_equal(len, 3);
    assert_false(base64url_decode("Zm9v", 4, bytes, 2, &len));
    assert_false(base64url_decode("Zg", 2, bytes, 0, &len));
    assert_true(base64url_decode("", 0, bytes, 0, &len));
    assert_int_equal(len, 0);
}

/* RFC 4648 section 10, and the two letters that differ from base64url. */
static void base64_vectors(void **state)
{
    static const char *const rows[][2] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"},
        {"\xfb\xff", "+/8="},
    };
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++) {
        char text[16];
        unsigned char bytes[16];
        size_t len = 99;
        base64_encode(rows[i][0], strlen(rows[i][0]), text);
        ROW(strcmp(text, rows[i][1]) == 0, "\"%s\" became %s", rows[i][0], text);
        ROW(strlen(text) + 1 == BASE64_SIZE(strlen(rows[i][0])), "%s: the size is wrong", text);
        ROW(base64_decode(text, strlen(text), bytes, sizeof bytes, &len) &&
                len == strlen(rows[i][0]) && memcmp(bytes, rows[i][0], len) == 0,
            "%s does not come back", text);
    }
    ROWS_END();
}

static void base64_is_strict(void **state)
{
    static const char *const rows[] = {"Zg",   "Zm8",  "Zg=",      "=",        "==",   "====",
                                       "Z===", "Zh==", "Zm9=",     "Zm9v====", "-_8=", "Zg==\n",
                                       "Zm 8", "Zm8 ", "Zg==Zg==", "Zm9v=",    "=m8=", "Z=g="};
    unsigned char bytes[16];
    size_t len;
    (void)state;
    for (size_t i = 0; i < COUNT(rows); i++)
        ROW(!base64_decode(rows[i], strlen(rows[i]), bytes, sizeof bytes, &len), "took \"%s\"",
            rows[i]);
    ROW(!base64_decode("Zm9v", 4, bytes, 2, &len), "wrote where there was no room");
    ROWS_END();
}

static void random_bytes_round_trip(void **state)
{
    (void)state;
    for (size_t size = 0; size < 200; size++) {
        unsigned char bytes[200], back[200];
        char text[BASE64URL_SIZE(200)], hex[401];
        size_t len;
        crypt_random(bytes, size);
        base64url_encode(bytes, size, text);
        ROW(base64url_decode(text, strlen(text), back, size, &len) && len == size &&
                memcmp(bytes, back, size) == 0,
            "%zu bytes: %s", size, text);
        hex_encode(bytes, size, hex);
        ROW(hex_decode(hex, back, size) && memcmp(bytes, back, size) == 0, "%zu bytes: %s", size,
            hex);
    }
    ROWS_END();
}

/* As realloc and free, but nothing of the old piece is left where it was. */
static void pieces_that_go_wiped(void **state)
{
    char *piece = crypt_realloc(NULL, 8);
    (void)state;
    assert_non_null(piece);
    memcpy(piece, "4242424", 8);
    piece = crypt_realloc(piece, 4096);
    assert_string_equal(piece, "4242424");
    memset(piece, 'x', 4096);
    piece = crypt_realloc(piece, 16);
    assert_memory_equal(piece, "xxxxxxxxxxxxxxxx", 16);
    crypt_free(piece);
    crypt_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(pieces_that_go_wiped),     TEST(sha256_vectors),        TEST(hmac_vectors),
        TEST(secrets_hold_their_bytes), TEST(comparison_and_wiping), TEST(hex_is_strict),
        TEST(base64url_vectors),        TEST(base64url_is_strict),   TEST(base64url_knows_its_room),
        TEST(base64_vectors),           TEST(base64_is_strict),      TEST(random_bytes_round_trip),
    };
    return cmocka_run_group_tests_name("crypt", tests, NULL, NULL);
}
