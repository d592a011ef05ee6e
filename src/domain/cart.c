/* Reads carts. Knows nothing of items: whether they exist and are for sale is the store's to say.
 */
#include "domain/cart.h"

#include "domain/digits.h"

#include <string.h>

static bool parse_id(const char *text, size_t len, int64_t *ret_id)
{
    while (len > 0 && *text == ' ') {
        text++;
        len--;
    }
    while (len > 0 && text[len - 1] == ' ')
        len--;
    return len > 0 && text[0] != '0' && digits_parse(text, len, ret_id);
}

/* Keeps the list in ascending order; false when the id is in it. */
static bool insert_id(int64_t *ids, size_t count, int64_t id)
{
    size_t place = count;
    while (place > 0 && ids[place - 1] > id)
        place--;
    if (place > 0 && ids[place - 1] == id)
        return false;
    memmove(&ids[place + 1], &ids[place], (count - place) * sizeof ids[0]);
    ids[place] = id;
    return true;
}

bool cart_parse(const char *text, int64_t ret_asset_ids[CART_MAX], size_t *ret_count)
{
    int64_t ids[CART_MAX] = {0}, id;
    size_t count = 0, len;
    for (;; text += len + 1) {
        len = strcspn(text, ",");
        if (count == CART_MAX || !parse_id(text, len, &id) || !insert_id(ids, count, id))
            return false;
        count++;
        if (text[len] == '\0')
            break;
    }
    memcpy(ret_asset_ids, ids, count * sizeof ids[0]);
    *ret_count = count;
    return true;
}
