/* The commands of guichetctl: one file per subject in src/ctl. */
#ifndef CTL_COMMANDS_H
#define CTL_COMMANDS_H

#include "ctl/ctl.h"

/* books.c */
int migrate(struct ctl *ctl);
int ledger_check(struct ctl *ctl);

/* payments.c */
int payment_list(struct ctl *ctl);
int payment_show(struct ctl *ctl);
int payment_timeline(struct ctl *ctl);
int payment_settle(struct ctl *ctl);

/* review.c */
int review_list(struct ctl *ctl);
int review_show(struct ctl *ctl);
int review_decide(struct ctl *ctl);

/* inbox.c */
int inbox_list(struct ctl *ctl);
int inbox_show(struct ctl *ctl);
int inbox_again(struct ctl *ctl);

/* outbox.c */
int outbox_list(struct ctl *ctl);
int outbox_again(struct ctl *ctl);
int outbox_again_all(struct ctl *ctl);

/* receiver.c */
int receiver_list(struct ctl *ctl);
int receiver_enable(struct ctl *ctl);

/* provider.c */
int provider_list(struct ctl *ctl);
int provider_enable(struct ctl *ctl);
int provider_disable(struct ctl *ctl);
int provider_check_hooks(struct ctl *ctl);
int provider_show_payin(struct ctl *ctl);
int provider_wire(struct ctl *ctl);

/* account.c */
int user_add(struct ctl *ctl);
int user_ban(struct ctl *ctl);
int user_unban(struct ctl *ctl);
int key_add(struct ctl *ctl);
int key_revoke(struct ctl *ctl);

#endif
