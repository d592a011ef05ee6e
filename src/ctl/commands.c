/* The table of commands: the usage text, what is taken and what runs come from here. All run as
 * the database's admin account, so whoever can read its password may run them all. */
#include "ctl/commands.h"

#define LIMIT "[--limit N] [--cursor ID]"

/* clang-format off */
const struct ctl_command ctl_commands[] = {
    {"migrate", "", "",
     "bring the database's tables and grants up to date", migrate},
    {"ledger", "verify", "",
     "prove that the ledger sums to zero and equals the balances", ledger_check},
    {"payment", "list", "[--user N] [--status WORD] [--provider NAME] [--since TIME] " LIMIT,
     "the newest payments", payment_list},
    {"payment", "show", "ID",
     "all that is known about one: calls, items, money, notices, messages", payment_show},
    {"payment", "timeline", "ID",
     "what happened to it, and who brought it", payment_timeline},
    {"payment", "settle",
     "ID --as succeeded|failed|partly_refunded|refunded|disputed|dispute_won|dispute_lost --why TEXT"
     " [--amount N] [--reference TEXT] [--by NAME]",
     "book what the provider's dashboard says, as if the provider had told us", payment_settle},
    {"review", "list", "[--state open|resolved|all] " LIMIT,
     "what only a person can decide; the open ones", review_list},
    {"review", "show", "ID",
     "one entry of that list, and how it was resolved", review_show},
    {"review", "resolve", "ID --as accepted|dismissed --why TEXT [--by NAME]",
     "decide: what the provider says is true and booked, or nothing changes", review_decide},
    {"inbox", "list", "[--state done|unmatched|review] [--provider NAME] " LIMIT,
     "the newest notices of providers", inbox_list},
    {"inbox", "show", "ID",
     "a notice with its body, which may hold a payer's personal data", inbox_show},
    {"inbox", "retry", "ID [--by NAME]",
     "try a notice again at once, also one in review", inbox_again},
    {"outbox", "list", "[--state waiting|done|dead] [--receiver NAME] [--payment ID] " LIMIT,
     "the newest messages to others, one row per receiver", outbox_list},
    {"outbox", "retry", "ID [--by NAME]",
     "deliver a message again at once, whatever became of it", outbox_again},
    {"outbox", "retry", "--receiver NAME [--by NAME]",
     "deliver again all that was given up for a receiver", outbox_again_all},
    {"receiver", "list", "",
     "who is told of events, and who of them wants nothing", receiver_list},
    {"receiver", "enable", "NAME",
     "send again to a receiver that said it was gone, or that this is too much", receiver_enable},
    {"provider", "list", "",
     "the switch and the breaker of every provider", provider_list},
    {"provider", "disable", "NAME --why TEXT [--by NAME]",
     "no new payments with this provider; those that are open go on", provider_disable},
    {"provider", "enable", "NAME [--why TEXT] [--by NAME]",
     "new payments again; its breaker is closed, too", provider_enable},
    {"user", "add", "--id N --name TEXT --email TEXT [--role user|operator]",
     "add a user, or change one", user_add},
    {"user", "ban", "--id N",
     "refuse this user from now on", user_ban},
    {"user", "unban", "--id N",
     "take this user's tokens and keys again", user_unban},
    {"key", "add", "--user N --key-file FILE",
     "let the API key in FILE log in as this user", key_add},
    {"key", "revoke", "--key-file FILE",
     "refuse this API key from now on", key_revoke},
};
/* clang-format on */
const size_t ctl_commands_count = sizeof ctl_commands / sizeof ctl_commands[0];
