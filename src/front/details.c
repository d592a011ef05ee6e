/* Reads the members into a struct, by tables. Only JSON bodies can hold objects. */
#include "front/details.h"

#include <stddef.h>
#include <string.h>

#define NUMBER_MIN INT64_C(-100000) /* of a browser's screen or clock */
#define NUMBER_MAX INT64_C(100000)

static const struct field_member words[] = {
    {"card_id", offsetof(struct provider_details, card_id)},
    {"mandate_id", offsetof(struct provider_details, mandate_id)},
    {"preauthorization_id", offsetof(struct provider_details, preauthorization_id)},
    {"deposit_id", offsetof(struct provider_details, deposit_id)},
    {"recurring_id", offsetof(struct provider_details, recurring_id)},
    {"culture", offsetof(struct provider_details, culture)},
    {"secure_mode", offsetof(struct provider_details, secure_mode)},
    {"statement_descriptor", offsetof(struct provider_details, statement_descriptor)},
    {"tag", offsetof(struct provider_details, tag)},
    {"author_id", offsetof(struct provider_details, author_id)},
    {"credited_wallet_id", offsetof(struct provider_details, credited_wallet_id)},
};

static const struct field_member address_members[] = {
    {"first_name", offsetof(struct provider_address, first_name)},
    {"last_name", offsetof(struct provider_address, last_name)},
    {"address1", offsetof(struct provider_address, address1)},
    {"address2", offsetof(struct provider_address, address2)},
    {"city", offsetof(struct provider_address, city)},
    {"state", offsetof(struct provider_address, state)},
    {"postcode", offsetof(struct provider_address, postcode)},
    {"country", offsetof(struct provider_address, country)},
};

static const struct field_member browser_texts[] = {
    {"accept_header", offsetof(struct provider_browser, accept_header)},
    {"language", offsetof(struct provider_browser, language)},
    {"user_agent", offsetof(struct provider_browser, user_agent)},
};

static const struct {
    const char *name;
    size_t offset;
} browser_numbers[] = {
    {"color_depth", offsetof(struct provider_browser, color_depth)},
    {"screen_height", offsetof(struct provider_browser, screen_height)},
    {"screen_width", offsetof(struct provider_browser, screen_width)},
    {"time_zone_offset", offsetof(struct provider_browser, time_zone_offset)},
};

static const struct {
    const char *name;
    size_t offset;
} browser_switches[] = {
    {"java_enabled", offsetof(struct provider_browser, java)},
    {"javascript_enabled", offsetof(struct provider_browser, javascript)},
};

static void *member_at(void *base, size_t offset)
{
    return (char *)base + offset;
}

static enum err read_words(const struct fields *fields, struct provider_details *ret_details)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct field field = fields_get(fields, words[i].name);
        const char **text = member_at(ret_details, words[i].offset);
        *text = "";
        if (field.kind == FIELD_ABSENT)
            continue;
        if (field.kind != FIELD_TEXT || strlen(field.text) > FIELD_TEXT_MAX)
            return ERR_PARAMETERS;
        *text = field.text;
    }
    struct field fees = fields_get(fields, "fees");
    ret_details->fees = -1;
    return fees.kind == FIELD_ABSENT || field_whole_number(&fees, &ret_details->fees)
               ? ERR_NONE
               : ERR_PARAMETERS;
}

static enum err read_shipping(const struct fields *fields, struct provider_address *ret_address)
{
    const struct json *object = json_get(fields->json, "shipping");
    bool fine = object == NULL || object->type == JSON_NULL || object->type == JSON_OBJECT;
    return fields_texts(object, FIELD_MEMBERS(address_members), ret_address) && fine ? ERR_NONE
                                                                                     : ERR_SHIPPING;
}

/* All numbers and switches are there, and are such. */
static bool read_figures(const struct json *object, struct provider_browser *ret_browser)
{
    for (size_t i = 0; i < sizeof browser_numbers / sizeof browser_numbers[0]; i++) {
        const struct json *value = json_get(object, browser_numbers[i].name);
        int64_t *number = member_at(ret_browser, browser_numbers[i].offset);
        if (value == NULL || !json_int(value, number) || *number < NUMBER_MIN ||
            *number > NUMBER_MAX)
            return false;
    }
    for (size_t i = 0; i < sizeof browser_switches / sizeof browser_switches[0]; i++) {
        const struct json *value = json_get(object, browser_switches[i].name);
        bool *on = member_at(ret_browser, browser_switches[i].offset);
        if (value == NULL || value->type != JSON_BOOL)
            return false;
        *on = value->boolean;
    }
    return true;
}

static enum err read_browser(const struct fields *fields, struct provider_browser *ret_browser)
{
    const struct json *object = json_get(fields->json, "browser_info");
    *ret_browser = (struct provider_browser){.accept_header = "", .language = "", .user_agent = ""};
    if (object == NULL || object->type == JSON_NULL)
        return ERR_NONE;
    ret_browser->given = true;
    return object->type == JSON_OBJECT &&
                   fields_texts(object, FIELD_MEMBERS(browser_texts), ret_browser) &&
                   read_figures(object, ret_browser)
               ? ERR_NONE
               : ERR_BROWSER;
}

enum err details_read(const struct fields *fields, struct provider_details *ret_details)
{
    *ret_details = (struct provider_details){.fees = -1};
    enum err err = read_words(fields, ret_details);
    if (!err)
        err = read_shipping(fields, &ret_details->shipping);
    return err ? err : read_browser(fields, &ret_details->browser);
}
