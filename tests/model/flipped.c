/* The program's own tables, with one cell changed: the proof must notice. Which one is said by the
 * compiler's options: FLIP_payment or FLIP_dispute as {from, fact, to, effect}. */
#define payment_next real_payment_next
#define dispute_next real_dispute_next
#include "domain/payment.c"
#undef payment_next
#undef dispute_next

#ifdef FLIP_payment
static const struct {
    enum payment_status from;
    enum payment_fact fact;
    struct payment_transition to;
} flip_payment = FLIP_payment;
#endif

#ifdef FLIP_dispute
static const struct {
    enum dispute_state from;
    enum payment_fact fact;
    struct dispute_transition to;
} flip_dispute = FLIP_dispute;
#endif

struct payment_transition payment_next(enum payment_status status, enum payment_fact fact);
struct dispute_transition dispute_next(enum dispute_state state, enum payment_fact fact);

struct payment_transition payment_next(enum payment_status status, enum payment_fact fact)
{
#ifdef FLIP_payment
    if (status == flip_payment.from && fact == flip_payment.fact)
        return flip_payment.to;
#endif
    return real_payment_next(status, fact);
}

struct dispute_transition dispute_next(enum dispute_state state, enum payment_fact fact)
{
#ifdef FLIP_dispute
    if (state == flip_dispute.from && fact == flip_dispute.fact)
        return flip_dispute.to;
#endif
    return real_dispute_next(state, fact);
}
