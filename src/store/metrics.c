/* The table of metrics: adding one is adding a row and its statement. */
#include "store/metrics.h"

static const struct {
    const char *name, *type, *help;
    const char *label; /* of a statement's first column; NULL: there is none */
    enum sql sql;
} metrics[] = {
    {"guichet_payments_open", "gauge", "Payments that are not over.", "status",
     SQL_METRIC_PAYMENTS},
    {"guichet_payments_open_oldest_seconds", "gauge",
     "Age of the oldest payment that is not over, but for wires and the like, which take days.",
     "status", SQL_METRIC_PAYMENTS_AGE},
    {"guichet_payments_overdue_seconds", "gauge",
     "How long the oldest unpaid payment is past its time: guichet-jobs expires them.", NULL,
     SQL_METRIC_OVERDUE},
    {"guichet_checks_lag_seconds", "gauge", "How late guichet-jobs is in asking providers.", NULL,
     SQL_METRIC_CHECKS_LAG},
    {"guichet_inbox_unmatched", "gauge", "Notices that name no payment of ours yet.", NULL,
     SQL_METRIC_INBOX},
    {"guichet_inbox_unmatched_oldest_seconds", "gauge", "Age of the oldest of them.", NULL,
     SQL_METRIC_INBOX_AGE},
    {"guichet_provider_silence_seconds", "gauge", "Since the last genuine notice of a provider.",
     "provider", SQL_METRIC_SILENCE},
    {"guichet_attempts_open", "gauge", "Calls about payments that are not over, by who was called.",
     "provider", SQL_METRIC_ATTEMPTS},
    {"guichet_refund_orders_oldest_seconds", "gauge",
     "Age of the oldest refund that its provider was asked for and has not ended.", NULL,
     SQL_METRIC_ORDERS_AGE},
    {"guichet_notices_unproved_total", "counter", "Notices whose proof was wrong.", "provider",
     SQL_METRIC_UNPROVED},
    {"guichet_provider_closed", "gauge", "1 while no new payments are made with it.", "provider",
     SQL_METRIC_PROVIDERS},
    {"guichet_deliveries_waiting", "gauge", "Events on their way to a receiver.", "receiver",
     SQL_METRIC_DELIVERIES},
    {"guichet_deliveries_lag_seconds", "gauge", "How late the next of them is.", "receiver",
     SQL_METRIC_DELIVERIES_LAG},
    {"guichet_deliveries_oldest_seconds", "gauge",
     "Age of the oldest of them, however often tried.", "receiver", SQL_METRIC_DELIVERIES_AGE},
    {"guichet_receiver_disabled", "gauge", "1 for a receiver that said it was gone.", "receiver",
     SQL_METRIC_RECEIVERS},
    {"guichet_reviews_open", "gauge", "What waits for a person: guichetctl review list.", "kind",
     SQL_METRIC_REVIEWS},
    {"guichet_reviews_oldest_seconds", "gauge", "Age of the oldest of them.", "kind",
     SQL_METRIC_REVIEWS_AGE},
};

/* Labels are names of ours: nothing in them needs escaping. */
enum err metrics_write(struct db *db, struct buf *out)
{
    enum err err = ERR_NONE;
    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0] && !err; i++) {
        buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", metrics[i].name, metrics[i].help,
                   metrics[i].name, metrics[i].type);
        err = db_run_plain(db, metrics[i].sql);
        while (!err && db_next(db)) {
            buf_printf(out, "%s", metrics[i].name);
            if (metrics[i].label != NULL)
                buf_printf(out, "{%s=\"%s\"}", metrics[i].label, db_text(db, 0));
            buf_printf(out, " %lld\n", (long long)db_int(db, 1));
        }
    }
    return err || buf_ok(out) ? err : ERR_OVERLOAD;
}
