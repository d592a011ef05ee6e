/* POST /recurring, GET and POST /recurring/{id}: registrations of recurring payments. Payments with
 * one are made like any other, with the methods recurring_cit and recurring_mit. */
#include "front/api.h"

#include "flow/recurring.h"
#include "flow/replay.h"
#include "front/create.h"
#include "front/payer.h"

#include <string.h>

/* What the body may say beside what payments have. */
static bool read_number(const struct fields *fields, const char *name, int64_t *ret_number)
{
    struct field field = fields_get(fields, name);
    *ret_number = -1;
    return field.kind == FIELD_ABSENT || field_whole_number(&field, ret_number);
}

static bool read_switch(const struct fields *fields, const char *name, int *ret_switch)
{
    const struct json *value = json_get(fields->json, name);
    struct field field = fields_get(fields, name);
    *ret_switch = -1;
    if (field.kind == FIELD_ABSENT)
        return true;
    if (field.from_form) {
        *ret_switch = strcmp(field.text, "true") == 0;
        return *ret_switch || strcmp(field.text, "false") == 0;
    }
    *ret_switch = value->boolean;
    return value->type == JSON_BOOL;
}

static bool read_text(const struct fields *fields, const char *name, const char **ret_text)
{
    struct field field = fields_get(fields, name);
    *ret_text = field.kind == FIELD_TEXT ? field.text : "";
    return field.kind == FIELD_TEXT || field.kind == FIELD_ABSENT;
}

static enum err read_plan(const struct fields *fields, struct provider_recurring *ret)
{
    const char *status;
    bool fine = read_number(fields, "next_amount", &ret->next_amount) &&
                read_number(fields, "next_fees", &ret->next_fees) &&
                read_number(fields, "end_date", &ret->end_date_s) &&
                read_number(fields, "free_cycles", &ret->free_cycles) &&
                read_text(fields, "frequency", &ret->frequency) &&
                read_switch(fields, "fixed_next_amount", &ret->fixed_next_amount) &&
                read_switch(fields, "fractioned_payment", &ret->fractioned_payment) &&
                read_switch(fields, "migration", &ret->migration) &&
                read_text(fields, "status", &status);
    if (!fine || (status[0] != '\0' && strcmp(status, "ended") != 0))
        return ERR_RECURRING;
    ret->ends = status[0] != '\0';
    return ERR_NONE;
}

static enum err read_amount(const struct fields *fields, struct money *ret_amount)
{
    struct field amount = fields_get(fields, "amount"), currency = fields_get(fields, "currency");
    int64_t units;
    if (!field_whole_number(&amount, &units) || units < 1 || units > PAYMENT_VALUE_MAX ||
        currency.kind != FIELD_TEXT || !money_make(units, currency.text, ret_amount))
        return ERR_RECURRING;
    return ERR_NONE;
}

static enum err read_driver(const struct call *call, const struct fields *fields,
                            const struct provider_driver **ret_driver)
{
    const char *name;
    if (!read_text(fields, "provider", &name))
        return ERR_PROVIDER_INVALID;
    *ret_driver = provider_find_open(call->context->settings, name);
    return *ret_driver == NULL || (*ret_driver)->registrations == NULL ? ERR_PROVIDER_INVALID
                                                                       : ERR_NONE;
}

static enum err read_request(const struct call *call, const struct fields *fields,
                             const struct registration *old, struct checkout *checkout,
                             struct recurring_request *request)
{
    struct provider_recurring *recurring = &request->recurring;
    const struct settings *settings = call->context->settings;
    enum err err = old == NULL ? read_driver(call, fields, &request->driver) : ERR_NONE;
    if (!err)
        err = read_plan(fields, recurring);
    if (!err && old == NULL)
        err = read_amount(fields, &recurring->amount);
    if (!err)
        err = payer_read_body(fields, checkout);
    recurring->provider_reference = old == NULL ? "" : old->reference;
    recurring->payer = &checkout->payer;
    recurring->details = &checkout->details;
    request->user_id = call->user.id;
    request->deadline_ms = call->request->deadline_ms;
    return err ? err : request->driver->registrations->check(settings, recurring);
}

static void refuse(const struct call *call, enum err err, struct answer *ret_answer)
{
    recurring_refuse(call->context->settings, call->request->arena,
                     err == ERR_PAYLOAD ? ERR_RECURRING : err, ret_answer);
}

void recurring_post(struct call *call)
{
    struct context *context = call->context;
    struct arena *arena = call->request->arena;
    struct recurring_request request = {0};
    struct checkout checkout = {0};
    struct fields fields;
    struct answer answer;
    enum err err = create_key(call, &request.key);
    if (!err && replay_find(context, arena, &request.key, &answer)) {
        reply_answer(call, &answer);
        return;
    }
    if (!err)
        err = fields_read(call->request, &fields);
    if (!err)
        err = read_request(call, &fields, NULL, &checkout, &request);
    if (!err)
        err = create_second_factor(call, request.driver);
    if (err)
        refuse(call, err, &answer);
    else
        recurring_create(context, arena, &request, &answer);
    if (answer.status != err_status(ERR_NONE)) /* a registration is kept with its row */
        replay_keep(context, arena, &request.key, &answer);
    reply_answer(call, &answer);
}

/* Its owner's, or any for an operator. */
static enum err find(const struct call *call, struct registration *ret_registration)
{
    enum err err = ident_valid("REC_", call->param)
                       ? recurring_find(call->context, call->request->arena, call->param,
                                        call->user.operator? 0 : call->user.id, ret_registration)
                       : ERR_NOT_FOUND;
    return !err && ret_registration->id[0] == '\0' ? ERR_NOT_FOUND : err;
}

void recurring_get_one(struct call *call)
{
    struct registration registration;
    struct answer answer;
    enum err err = find(call, &registration);
    if (err) {
        reply_error(call, err);
        return;
    }
    recurring_view(call->context, call->request->arena, &registration, call->request->deadline_ms,
                   &answer);
    reply_answer(call, &answer);
}

void recurring_post_one(struct call *call)
{
    struct context *context = call->context;
    struct registration registration;
    struct recurring_request request = {0};
    struct checkout checkout = {0};
    struct fields fields;
    struct answer answer;
    enum err err = find(call, &registration);
    if (!err)
        err = fields_read(call->request, &fields);
    if (!err)
        request.driver = provider_find(context->settings, registration.provider);
    if (!err && (request.driver == NULL || request.driver->registrations == NULL))
        err = ERR_PROVIDER_UNAVAILABLE;
    if (!err)
        err = read_request(call, &fields, &registration, &checkout, &request);
    if (!err)
        err = create_second_factor(call, request.driver);
    if (err)
        refuse(call, err, &answer);
    else
        recurring_change(context, call->request->arena, &registration, &request, &answer);
    reply_answer(call, &answer);
}
