/* Reads the objects and lets the drivers judge them. Only JSON bodies can hold objects. */
#include "front/payer.h"

#include "base/clock.h"
#include "flow/recurring.h"
#include "front/auth.h"
#include "front/details.h"
#include "store/users.h"

#include <string.h>

static const struct field_member customer_members[] = {
    {"email", offsetof(struct provider_payer, email)},
    {"name", offsetof(struct provider_payer, name)},
    {"phone", offsetof(struct provider_payer, phone)},
    {"date_of_birth", offsetof(struct provider_payer, date_of_birth)},
    {"personal_id", offsetof(struct provider_payer, personal_id)},
    {"ip", offsetof(struct provider_payer, ip)},
};

static const struct field_member billing_members[] = {
    {"first_name", offsetof(struct provider_payer, first_name)},
    {"last_name", offsetof(struct provider_payer, last_name)},
    {"address1", offsetof(struct provider_payer, address1)},
    {"address2", offsetof(struct provider_payer, address2)},
    {"city", offsetof(struct provider_payer, city)},
    {"state", offsetof(struct provider_payer, state)},
    {"postcode", offsetof(struct provider_payer, postcode)},
    {"country", offsetof(struct provider_payer, country)},
};

static const struct field_member card_members[] = {
    {"number", offsetof(struct provider_card, number)},
    {"expiry", offsetof(struct provider_card, expiry)},
    {"cvc", offsetof(struct provider_card, cvc)},
    {"holder", offsetof(struct provider_card, holder)},
};

/* False when the object is none, or a member is no text. *ret_given: there is such an object. */
static bool read_object(const struct fields *fields, const char *name,
                        const struct field_member *members, size_t count, void *ret_texts,
                        bool *ret_given)
{
    const struct json *object = json_get(fields->json, name);
    bool none = object == NULL || object->type == JSON_NULL;
    *ret_given = !none;
    return fields_texts(object, members, count, ret_texts) && (none || object->type == JSON_OBJECT);
}

enum err payer_read_body(const struct fields *fields, struct checkout *checkout)
{
    bool given;
    if (!read_object(fields, "customer", FIELD_MEMBERS(customer_members), &checkout->payer, &given))
        return ERR_CUSTOMER;
    if (!read_object(fields, "billing", FIELD_MEMBERS(billing_members), &checkout->payer, &given))
        return ERR_BILLING;
    if (!read_object(fields, "card", FIELD_MEMBERS(card_members), &checkout->card,
                     &checkout->has_card))
        return ERR_CARD;
    return details_read(fields, &checkout->details);
}

struct address_unit {
    int64_t user_id;
    struct user_address address;
};

static enum err address_unit(struct db *db, void *context)
{
    struct address_unit *unit = context;
    return users_address(db, unit->user_id, &unit->address);
}

/* What the caller left out and we know: the user's own address, and where a card's owner sits. */
static enum err complete(const struct call *call, struct checkout *checkout)
{
    struct provider_payer *payer = &checkout->payer;
    struct address_unit unit = {.user_id = call->claims.user_id};
    if (checkout->has_card && payer->ip[0] == '\0')
        payer->ip = call->request->client_ip;
    if (payer->email[0] != '\0')
        return ERR_NONE;
    enum err err = db_query(call->context->pool, call->request->arena, address_unit, &unit);
    if (!err)
        payer->email = unit.address.email;
    return err;
}

static bool any_wants_payer(const struct checkout *checkout)
{
    for (size_t i = 0; i < checkout->driver_count; i++)
        if (checkout->drivers[i]->check != NULL)
            return true;
    return false;
}

/* Leaves out the partners that would refuse. The refusal of the first when none is left. */
static enum err ask_drivers(const struct call *call, struct checkout *checkout)
{
    const struct payment *payment = &checkout->intent.payment;
    const struct provider_order order = {.amount = payment->amount,
                                         .method = payment->method,
                                         .now_s = clock_wall_ms() / 1000,
                                         .payer = &checkout->payer,
                                         .card = checkout->has_card ? &checkout->card : NULL,
                                         .details = &checkout->details};
    enum err first = ERR_NONE;
    size_t kept = 0;
    for (size_t i = 0; i < checkout->driver_count; i++) {
        const struct provider_driver *driver = checkout->drivers[i];
        enum err err = provider_check(driver, call->context->settings, &order);
        if (!err)
            checkout->drivers[kept++] = driver;
        else if (!first)
            first = err;
    }
    if (kept == 0)
        return first;
    checkout->driver_count = kept;
    return ERR_NONE;
}

/* Callers know a registration by our name for it, and may use their own only, operators too: it is
 * the caller who is credited. */
static enum err name_registration(struct call *call, struct checkout *checkout)
{
    const char **id = &checkout->details.recurring_id;
    struct registration registration;
    if ((*id)[0] == '\0')
        return ERR_NONE;
    if (!ident_valid("REC_", *id))
        return ERR_PARAMETERS;
    enum err err = auth_user(call);
    if (!err)
        err =
            recurring_find(call->context, call->request->arena, *id, call->user.id, &registration);
    if (err || registration.id[0] == '\0')
        return err ? err : ERR_PARAMETERS;
    *id =
        arena_strndup(call->request->arena, registration.reference, strlen(registration.reference));
    return *id == NULL ? ERR_OVERLOAD : ERR_NONE;
}

enum err payer_read(struct call *call, const struct fields *fields, struct checkout *checkout)
{
    enum err err = payer_read_body(fields, checkout);
    if (!err)
        err = name_registration(call, checkout);
    if (!err && any_wants_payer(checkout))
        err = complete(call, checkout);
    return err ? err : ask_drivers(call, checkout);
}
