/* What the commands about inbox and outbox share. */
#include "ctl/messages.h"

#include "store/payments.h"

#include <stdio.h>

bool message_id(const struct ctl *ctl, int64_t *ret_id)
{
    if (ctl_number(ctl->id, ret_id))
        return true;
    (void)ctl_refuse(ctl, CTL_MISUSED, "%.80s is no number: take it from guichetctl %s list",
                     ctl->id, ctl->command->first);
    return false;
}

bool message_page(const struct ctl *ctl, struct inspect_messages *filter)
{
    if (!ctl_number(ctl_option(ctl, "--cursor"), &filter->cursor)) {
        (void)ctl_refuse(ctl, CTL_MISUSED,
                         "--cursor must be a number, as the list before showed it");
        return false;
    }
    if (!ctl_limit(ctl, &filter->max))
        return false;
    filter->max++; /* one more tells whether there is a next page */
    return true;
}

enum err message_note(struct db *db, const char *payment_id, const char *what,
                      const char *operator_name)
{
    char detail[200];
    if (payment_id[0] == '\0')
        return ERR_NONE;
    (void)snprintf(detail, sizeof detail, "%s, by %s", what, operator_name);
    return events_insert(db, payment_id, "retry", detail, "operator");
}
