/* The life of one payment among processes that may die between any two of their steps.
 *
 * What is atomic here is one transaction of the program, one call at the provider, or one thing
 * that happens in the world. Who dies before COMMIT has done nothing; who dies after it has told
 * nobody, and what it alone knew is gone. The transition tables are the program's own: the verifier
 * is linked with domain/payment.c.
 *
 * What nothing but patience can end leads through a label "progress": a death, a COMMIT whose
 * answer is lost, a notice sent again. The verifier shows that whatever runs for ever passes there.
 *
 * Left out, so that the model promises more than the program needs: the ledger's unique key, which
 * would stop a second credit, and the inbox, which would stop a copy of a notice.
 *
 * Assumed, each where it is marked: A1 a call is over long before the payment's time is. A2 a
 * provider gives up on the notice of a success only when we know its session, and so ask; other
 * notices of money arrive at last. A3 the last look comes after the payment's time, and nobody pays after it.
 * A4 what the provider answers to the last look is the present. A5 a refund booked by hand is made
 * at the provider, as far as there is money left. A6 a look is over before its lease is. */

c_decl {
\#include "domain/payment.h"
}

#define OF_C(name) (c_expr { name })
#define PENDING    OF_C(PAYMENT_PENDING)
#define PROCESSING OF_C(PAYMENT_PROCESSING)
#define COMPLETED  OF_C(PAYMENT_COMPLETED)

/* Notices have the numbers of their facts. Those of refunds say amounts, whatever they sum up to:
 * one that the provider has made by itself, and one that the operator has booked here first. */
#define NOTICES    10
#define OWN_REFUND OF_C(FACT_PARTLY_REFUNDED)
#define OUR_REFUND OF_C(FACT_REFUNDED)

#define PRICE 2 /* the payment; refunds are of 1 or 2 */
#define LOOKS 1 /* before the last one */
#define LAST  2

bool begins_open, may_refund, may_dispute; /* which scene is played */

/* --- the database --- */

bool items;                /* it buys an item; otherwise it is a deposit */
bool begun;                /* the payment's row is there, with its attempt */
byte status;               /* enum payment_status */
byte outcome;              /* enum outcome, of the attempt */
bool session;              /* the provider's reference is known */
bool url;                  /* and where to send the payer */
bool answered;             /* an answer is kept for the Idempotency-Key */
bool check;                /* the jobs program still has to look */
byte tries;                /* how often it has */
bool review;               /* a person is asked */
byte refunded;             /* in the books */
byte by_hand;              /* refund that the provider has not told us of yet */
bool own_known, our_known; /* refunds that bear the provider's reference */
bool refund_asked;         /* the Idempotency-Key of the operator's request */
byte dispute;              /* enum dispute_state */
byte credits;
short balance;             /* of the payer, for this payment alone */
byte held;                 /* on the account of disputes */
byte releases;             /* how often the item has left OURS */
mtype:hold = { FREE, OURS, SOLD, OTHERS };
mtype:hold item = FREE;

/* --- the world --- */

mtype:session = { NONE, OPEN, WORKING, REFUSED, PAID, TOO_LATE };
mtype:session provider = NONE;
bool said[NOTICES];        /* it will send this notice once more */
byte given_back, own_refund, our_refund;
byte bank;                 /* enum dispute_state */
bool late;                 /* the attempt's deadline is over */
bool over;                 /* the payment's time is over */
byte calls;                /* calls that create something at the provider, begun to stored */
mtype:look = { IDLE, NOTHING, ASK, RESUME, CLOSE };
mtype:look look = IDLE;    /* what the jobs program is at */

/* --- steps of transactions, by the names of the program's functions --- */

byte fact, effect, amount; /* what the steps hand to each other; 0 between transactions */
bool moved, was, fits;

/* Every posting ends here: the books are what the rows say. */
inline books_agree() {
    assert(credits <= 1);
    assert(refunded <= PRICE);
    assert(held == (dispute == OF_C(DISPUTE_OPENED) -> PRICE : 0));
    assert(balance == PRICE * credits - (item == SOLD -> PRICE : 0)
        - (credits > 0 -> refunded : 0) - (dispute >= OF_C(DISPUTE_OPENED) -> PRICE : 0))
}

inline items_release() {
    if
    :: item == OURS -> item = FREE; releases++
    :: else
    fi
}

inline complete() {
    credits++;
    balance = balance + PRICE;
    if
    :: items && fact == OF_C(FACT_SUCCEEDED) && (item == OURS || item == FREE) ->
        releases = releases + (item == OURS);
        item = SOLD;
        balance = balance - PRICE
    :: else
    fi
}

inline settle_fact() {
    c_code {
        struct payment_transition next = payment_next(now.status, now.fact);
        now.moved = next.status != now.status;
        now.status = next.status;
        now.effect = next.effect;
    };
    if
    :: moved && effect == OF_C(EFFECT_CREDIT) -> complete()
    :: else
    fi;
    if
    :: moved && status > PROCESSING -> items_release()
    :: else
    fi;
    moved = 0;
    effect = 0
}

inline settle_expiry() {
    if
    :: over && status == PENDING -> fact = OF_C(FACT_EXPIRED); settle_fact(); fact = 0
    :: over && status == PROCESSING -> items_release()
    :: else
    fi
}

/* amount fits into the payment */
inline book_refund() {
    was = (status >= COMPLETED);
    refunded = refunded + amount;
    fact = (refunded < PRICE -> OF_C(FACT_PARTLY_REFUNDED) : OF_C(FACT_REFUNDED));
    settle_fact();
    if
    :: was || fact == OF_C(FACT_PARTLY_REFUNDED) -> balance = balance - amount
    :: else /* never credited */
    fi;
    was = false;
    books_agree()
}

inline refund_reported(known) {
    if
    :: known -> skip
    :: !known && by_hand == amount -> known = true; by_hand = 0 /* it is the one that we know */
    :: !known && by_hand != amount && refunded + amount <= PRICE -> known = true; book_refund()
    :: else -> review = true; fits = false
    fi
}

inline dispute_reported() {
    settle_fact();
    was = (dispute == OF_C(DISPUTE_OPENED));
    c_code {
        struct dispute_transition next = dispute_next(now.dispute, now.fact);
        now.dispute = next.state;
        now.effect = next.effect;
    };
    if
    :: effect == OF_C(EFFECT_DISPUTE) -> balance = balance - PRICE; held = held + PRICE
    :: effect == OF_C(EFFECT_DISPUTE_WON) -> balance = balance + PRICE; held = held - PRICE
    :: effect == OF_C(EFFECT_DISPUTE_LOST) && was -> held = held - PRICE
    :: effect == OF_C(EFFECT_DISPUTE_LOST) && !was -> balance = balance - PRICE
    :: else
    fi;
    was = 0;
    effect = 0
}

inline close_attempt() {
    if
    :: outcome != 0 && url && fact >= OF_C(FACT_SUCCEEDED) -> check = false
    :: outcome == 0 && late && fact < OF_C(FACT_SUCCEEDED) ->
        outcome = OF_C(OUTCOME_PENDING);
        session = true;
        check = true
    :: else
    fi
}

/* What the provider says, by whichever way we got to know: settle_apply without refunds and
 * disputes, which only notices tell of. */
inline settle_truth() {
    settle_fact();
    close_attempt();
    books_agree();
    fact = 0
}

inline settle_notice() {
    fits = true;
    if
    :: fact < OF_C(FACT_PARTLY_REFUNDED) -> settle_fact()
    :: fact == OWN_REFUND -> amount = own_refund; refund_reported(own_known)
    :: fact == OUR_REFUND -> amount = our_refund; refund_reported(our_known)
    :: fact >= OF_C(FACT_DISPUTED) -> dispute_reported()
    fi;
    if
    :: fits -> close_attempt()
    :: else
    fi;
    fits = false;
    books_agree();
    fact = 0;
    amount = 0
}

/* The answer to a create. The first definite one stays. */
inline finish(result) {
    if
    :: outcome == 0 && result != OF_C(OUTCOME_UNKNOWN) ->
        outcome = result;
        session = session || result == OF_C(OUTCOME_PENDING);
        url = (result == OF_C(OUTCOME_PENDING))
    :: else
    fi;
    if
    :: outcome == OF_C(OUTCOME_REFUSED) ->
        fact = OF_C(FACT_FAILED);
        settle_fact();
        fact = 0;
        check = false
    :: else
    fi;
    answered = answered || url || outcome == OF_C(OUTCOME_DONE) || outcome == OF_C(OUTCOME_REFUSED)
}

/* --- the client's request, repeated with the same key until it is answered --- */

/* What comes of calling the provider: our reference is unique there. */
inline call(result) {
    if
    :: provider == NONE -> provider = OPEN; result = OF_C(OUTCOME_PENDING)
    :: provider == NONE -> provider = OPEN; result = OF_C(OUTCOME_UNKNOWN) /* the answer is lost */
    :: result = OF_C(OUTCOME_UNKNOWN) /* never arrives, or the reference is taken */
    fi
}

proctype create() {
    byte result;
    bool mine;
begin:
    atomic {
        if
        :: !begun ->
            begun = true;
            check = true;
            mine = true;
            calls++;
            item = (items -> OURS : FREE)
        :: begun && mine /* the COMMIT's answer was lost: the unit runs again */
        :: else -> goto gone /* this key has been used: the kept answer, or 409 */
        fi
    };
    if
    :: skip
    :: skip -> progress_begun: skip; goto begin
    :: goto died
    fi;
    atomic {
        if
        :: late -> result = OF_C(OUTCOME_UNKNOWN) /* the jobs program may be at it */
        :: !late -> call(result)
        :: !late && provider == NONE -> result = OF_C(OUTCOME_REFUSED)
        fi
    };
    if
    :: skip
    :: goto died
    fi;
store:
    atomic { finish(result) };
    if
    :: skip
    :: skip -> progress_stored: skip; goto store
    fi;
died:
    atomic { result = 0; mine = false; calls-- };
progress_repeated:
    skip;
    goto begin;
gone:
    skip
}

/* --- the provider: an open session may be paid, fail and be paid after all, or end --- */

#define says(what) said[OF_C(what)] = true
#define may_say(what) if :: says(what) :: skip fi /* or the notice is lost for ever */

#define may_pay (tries < LAST) /* A3 */

proctype the_provider() {
end:
    do
    :: atomic { may_pay && !begins_open && provider == OPEN -> provider = WORKING; may_say(FACT_PROCESSING) }
    :: atomic { may_pay && !begins_open && provider == OPEN -> provider = TOO_LATE; may_say(FACT_EXPIRED) }
    :: atomic { may_pay && !begins_open && (provider == OPEN || provider == WORKING) -> provider = REFUSED; may_say(FACT_FAILED) }
    :: atomic {
        may_pay && (provider == OPEN || provider == WORKING || provider == REFUSED) ->
        provider = PAID;
        if
        :: says(FACT_SUCCEEDED)
        :: session /* A2: we are still asking */
        fi
    }
    :: atomic {
        may_refund && provider == PAID && own_refund == 0 && given_back < PRICE ->
        if
        :: own_refund = 1
        :: own_refund = PRICE - given_back
        fi;
        given_back = given_back + own_refund;
        said[OWN_REFUND] = true
    }
    :: atomic {
        may_dispute && provider == PAID && bank == OF_C(DISPUTE_NONE) ->
        bank = OF_C(DISPUTE_OPENED);
        says(FACT_DISPUTED)
    }
    :: atomic {
        bank == OF_C(DISPUTE_OPENED) ->
        bank = OF_C(DISPUTE_WON);
        says(FACT_DISPUTE_WON)
    }
    :: atomic {
        bank == OF_C(DISPUTE_OPENED) || bank == OF_C(DISPUTE_WON) ->
        bank = OF_C(DISPUTE_LOST);
        says(FACT_DISPUTE_LOST)
    }
    :: provider == PAID -> break /* and nothing more comes of it */
    od
}

#define notice(n) :: said[n] -> fact = n

/* Its notices, in any order, late, and again as long as they were not answered. A notice and its
 * posting are one transaction, so a handler that dies has done all of it or nothing. Copies are
 * posted like the first, as if the inbox did not know them. */
proctype webhook() {
    byte told;
end:
    do
    :: atomic {
        if
        notice(0) notice(1) notice(2) notice(3) notice(4)
        notice(5) notice(6) notice(7) notice(8) notice(9)
        fi;
        told = fact;
        settle_notice();
        if
        :: said[told] = false; told = 0
        :: told = 0; goto progress_died
        fi
    }
    od;
progress_died:
    goto end
}

/* --- asking the provider --- */

/* What it says at the moment, or still the old. */
inline read(result, at_last) {
    if
    :: provider == WORKING -> result = OF_C(FACT_PROCESSING)
    :: provider == REFUSED -> result = OF_C(FACT_FAILED)
    :: provider == PAID -> result = OF_C(FACT_SUCCEEDED)
    :: provider == TOO_LATE -> result = OF_C(FACT_EXPIRED)
    :: provider == OPEN || !at_last -> result = OF_C(FACT_NOTHING) /* A4 */
    fi
}

/* The payer comes back to the shop; nobody keeps the look at the same time from it. */
proctype return_page() {
    byte truth;
end:
    atomic { session && status < COMPLETED -> read(truth, false) };
    if
    :: atomic { fact = truth; truth = 0; settle_truth() }
    :: truth = 0
    fi
}

/* A6: one at a time. What a look decides by is of the moment when it was taken. A create that is in
 * flight is left alone, and a look at it changes nothing. */
proctype jobs() {
    byte result;
    bool was_over, last;
end:
    do
    :: atomic {
        check && (outcome != 0 || late) &&
        (tries < LOOKS || over) ->
        tries = (tries < LOOKS -> tries : LAST); /* A3 */
        was_over = over;
        last = status >= COMPLETED || !session && over || tries == LAST;
        if
        :: status >= COMPLETED && outcome == 0 -> look = CLOSE
        :: status < COMPLETED && session -> look = ASK
        :: status < COMPLETED && !session && outcome == 0 && !over -> look = RESUME; calls++
        :: else -> look = NOTHING
        fi
    };
    if
    :: look == CLOSE -> atomic { result = OF_C(OUTCOME_DONE); finish(result); result = 0 }
    :: look == ASK ->
        atomic { read(result, last) };
        if
        :: atomic { fact = result; result = 0; settle_truth() }
        :: goto died
        fi
    :: look == RESUME ->
        atomic { call(result) };
        if
        :: atomic { finish(result); calls--; look = NOTHING }
        :: goto died
        fi
    :: look == NOTHING -> skip
    fi;
    if
    :: was_over -> atomic { settle_expiry() }
    :: !was_over
    fi;
    if
    :: atomic {
        last && !(tries != LAST && status < COMPLETED && session) -> /* nothing was told meanwhile */
        review = review || status == PROCESSING;
        check = false;
        answered = true
    }
    :: atomic { !last || tries != LAST && status < COMPLETED && session -> tries++ }
    :: goto died
    fi;
    goto taken;
died:
    atomic { calls = calls - (look == RESUME); result = 0 };
progress_died:
    skip;
taken:
    atomic { look = IDLE; was_over = false; last = false }
    od
}

/* --- the rest of the world --- */

proctype clock() {
end:
    do
    :: begun && !late -> late = true
    :: late && !over && calls == 0 -> over = true; break /* A1 */
    od
}

/* Somebody else who wants the item, and ends a hold that is over without waiting for the jobs. */
proctype buyer() {
end:
    do
    :: atomic { item == OURS && over -> settle_expiry() }
    :: atomic { item == FREE && releases > 0 -> item = OTHERS; break }
    :: atomic { item == SOLD -> break }
    od
}

/* Books a refund, and repeats the request with its key until it is answered. */
proctype the_operator() {
    byte wanted;
end:
    if
    :: status >= COMPLETED -> wanted = 1
    :: status >= COMPLETED -> wanted = PRICE
    :: status >= COMPLETED -> goto nothing_to_do
    fi;
ask:
    atomic {
        if
        :: !refund_asked && dispute < OF_C(DISPUTE_OPENED) && refunded + wanted <= PRICE ->
            amount = wanted;
            by_hand = wanted;
            book_refund();
            amount = 0;
            fact = 0
        :: !refund_asked && (dispute >= OF_C(DISPUTE_OPENED) || refunded + wanted > PRICE) ->
            wanted = 0 /* refused */
        :: refund_asked
        fi;
        refund_asked = true
    };
    if
    :: skip
    :: skip -> progress_asked: skip; goto ask
    fi;
    atomic { /* A5 */
        if
        :: wanted > 0 && given_back + wanted <= PRICE ->
            given_back = given_back + wanted;
            our_refund = wanted;
            said[OUR_REFUND] = true
        :: else
        fi
    };
nothing_to_do:
    wanted = 0
}

/* Nothing can happen any more: what has it come to? */
proctype verdict() {
    short wanted;
    timeout;
    wanted = (provider == PAID -> PRICE : 0) - given_back - (item == SOLD -> PRICE : 0) -
             (bank == OF_C(DISPUTE_OPENED) || bank == OF_C(DISPUTE_LOST) -> PRICE : 0);
    assert(!check);                                         /* nobody is left to look */
    assert(!begun || answered);                             /* nor to wait for an answer */
    assert(!begun || status != PENDING);                    /* it has ended */
    assert(status != PROCESSING || review);                 /* or a person is asked */
    assert((status >= COMPLETED) == (provider == PAID));    /* no success lost, none made up */
    assert(status != OF_C(PAYMENT_FAILED) || provider == REFUSED || outcome == OF_C(OUTCOME_REFUSED));
    assert(review || balance == wanted);                    /* to the cent */
    assert(item != OURS && releases == (items && begun))    /* released, once */
}

/* Two scenes, for all of it at once is too much to look at: a payment from its first request on,
 * and one that has been open for a while, with what may come after it is paid: two each of refunds
 * by the provider, refunds by the operator, and disputes. */
init {
    assert(c_expr { PAYMENT_FACTS == 10 && PAYMENT_PENDING == 0 && OUTCOME_NONE == 0 });
    atomic {
        if
        :: begins_open = true;
            begun = true;
            check = true;
            late = true;
            answered = true;
            url = true;
            session = true;
            outcome = OF_C(OUTCOME_PENDING);
            provider = OPEN;
            if
            :: may_refund = true; run the_operator()
            :: may_dispute = true; run the_operator()
            :: may_refund = true; may_dispute = true
            fi
        :: run create();
            if
            :: run return_page()
            :: items = true; run buyer()
            fi
        fi;
        run the_provider();
        run webhook();
        run jobs();
        run clock();
        run verdict()
    }
}
