/* What providers tell by themselves: every proved notice is stored, then applied, at once or when
 * that can be done. */
#ifndef FLOW_NOTICE_H
#define FLOW_NOTICE_H

#include "flow/settle.h"

/* What became of a notice, for the log. */
struct settled_notice {
    char payment_id[64]; /* as the notice names it */
    char word[32];
    enum settle_verdict verdict;
    bool repeated;     /* it had been dealt with before, or is being dealt with */
    bool left;         /* it only names a payment, and waits for notice_retry */
    int64_t follow_id; /* not 0: it only names a payment; call notice_follow when it is answered */
};

/* Stores a proved notice and applies it, in one transaction. Any error: nothing is stored, the
 * provider should send it again. Without time to follow one that only names a payment, it is left
 * to whoever has. */
enum err notice_settle(struct context *context, struct arena *arena,
                       const struct provider_driver *driver, const char *body, size_t len,
                       bool can_follow, struct settled_notice *ret_notice) MUST_CHECK;

/* The second half of a thin notice: asks the provider about the payment that it names, and applies
 * what the provider says. Whoever does not live to do it leaves it to notice_retry. */
enum err notice_follow(struct context *context, struct arena *arena, int64_t follow_id,
                       struct settled_notice *ret_notice) MUST_CHECK;

/* Tries one stored notice again that could not be applied. *ret_found is false when none is due. */
enum err notice_retry(struct context *context, struct arena *arena, bool *ret_found) MUST_CHECK;

#endif
