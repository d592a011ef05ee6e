/* Pieces of statements that several of sql.c share: moments, and the columns of what is read. */
#ifndef STORE_SQL_COLUMNS_H
#define STORE_SQL_COLUMNS_H

/* clang-format off */
#define MS_TO_TIME      "TIMESTAMP '1970-01-01 00:00:00' + INTERVAL ? * 1000 MICROSECOND"
#define IN_SECONDS      "NOW(3) + INTERVAL ? SECOND"
#define IN_MS           "NOW(3) + INTERVAL ? * 1000 MICROSECOND"
#define RFC3339(column) "CONCAT(LEFT(DATE_FORMAT(" column ", '%Y-%m-%dT%H:%i:%s.%f'), 23), 'Z')"
#define UNIX(column)    "TIMESTAMPDIFF(SECOND, '1970-01-01 00:00:00', " column ")"
#define SECONDS_SINCE(moment) "TIMESTAMPDIFF(SECOND, " moment ", NOW(3))"
/* a column of ASCII made comparable with whatever callers write */
#define ANY_TEXT(column) "CONVERT(" column " USING utf8mb4)"
#define PAYMENT_COLUMNS \
    "p.payment_id, p.user_id, p.provider, p.type, p.amount, p.currency, p.method, p.status," \
    " p.client_ip, TIMESTAMPDIFF(MICROSECOND, NOW(3), p.expires_at) DIV 1000, " \
    RFC3339("p.created_at") ", " RFC3339("p.expires_at") ", p.surface, " \
    UNIX("p.created_at") ", " UNIX("p.expires_at") ", p.refunded, p.dispute, p.paid_by"
/* the word that callers see, see payment_status_now */
#define STATUS_NOW \
    "IF(p.dispute IN ('opened', 'lost'), 'disputed'," \
    " IF(p.status = 'pending' AND p.expires_at <= NOW(3), 'expired', p.status))"
#define REFUND_COLUMNS \
    "refund_id, sequence, amount, via, reference, reason, " RFC3339("created_at") " FROM refunds"
#define ORDER_COLUMNS \
    "refund_id, attempt, amount, state, reference, reason, operator_id, tries, " RFC3339("created_at") ", " \
    SECONDS_SINCE("created_at") " FROM refund_orders"
/* another attempt of the payment is being made, or its payer knows where to pay */
#define RIVALLED \
    "EXISTS (SELECT 1 FROM attempts o LEFT JOIN attempt_answers r ON r.attempt_id = o.attempt_id" \
    " AND r.definite = 1 WHERE o.payment_id = a.payment_id AND o.number <> a.number" \
    " AND (r.url IS NOT NULL OR o.number > a.number AND r.answer_id IS NULL))"
#define ATTEMPTS(index, over, left, rivalled) \
    "a.attempt_id, a.reference, a.deadline_at <= NOW(3) OR " over ", d.outcome," \
    " COALESCE(d.provider_reference, l.provider_reference), d.url, d.reason, a.provider, a.number," \
    " " left ", " rivalled ", d.instructions" \
    " FROM attempts a FORCE INDEX (" index ") LEFT JOIN attempt_answers d ON d.attempt_id = a.attempt_id AND d.definite = 1" \
    " LEFT JOIN learnt_references l ON l.attempt_id = a.attempt_id"
#define ATTEMPTS_BY(index) \
    ATTEMPTS(index, "EXISTS (SELECT 1 FROM attempt_answers u WHERE u.attempt_id = a.attempt_id)", \
             "EXISTS (SELECT 1 FROM attempts n WHERE n.payment_id = a.payment_id AND n.number > a.number)", RIVALLED)
/* The same at half the cost, if one that says it is over and not left: then it is alone. */
#define ATTEMPTS_ALONE(index) \
    ATTEMPTS(index, "d.answer_id IS NOT NULL", "o.attempt_id IS NOT NULL", "0") \
    " LEFT JOIN attempts o FORCE INDEX (attempt_number) ON o.payment_id = a.payment_id AND o.number = 2"
/* The newest, oldest first: what payments and attempt_answers know, and the events, of which those
 * two kinds are from before. Its parameters: the payment, and how many. */
#define TIMELINE \
    "(WITH p AS (SELECT payment_id, provider, created_at FROM payments WHERE payment_id = ?)" \
    " SELECT created_at, 0 AS place, 0 AS number, " RFC3339("created_at") " AS at, 'created' AS kind," \
    " provider AS detail, 'request' AS source FROM p UNION ALL" \
    " SELECT d.created_at, 1, d.answer_id, " RFC3339("d.created_at") ", 'attempt'," \
    " LEFT(CONCAT(IF(a.provider = p.provider, '', CONCAT(a.provider, ' ')), d.outcome," \
    " IF(d.reason = '', '', CONCAT(': ', d.reason))), 255), d.source" \
    " FROM p JOIN attempts a USING (payment_id) JOIN attempt_answers d USING (attempt_id)" \
    " WHERE d.source IS NOT NULL UNION ALL" \
    " SELECT e.created_at, 2, e.event_id, " RFC3339("e.created_at") ", e.kind, e.detail, e.source" \
    " FROM p JOIN events e USING (payment_id) WHERE e.kind NOT IN ('created', 'attempt')" \
    " ORDER BY created_at DESC, place DESC, number DESC LIMIT ?) told" \
    " ORDER BY created_at, place, number"
/* deliveries that are not over, by receiver: with the names, the index is not read whole */
#define WAITING \
    "FROM deliveries WHERE receiver IN ('mail', 'receiver_1', 'receiver_2', 'receiver_3', 'receiver_4')" \
    " AND due_at IS NOT NULL GROUP BY receiver"
#define EIGHT      "?, ?, ?, ?, ?, ?, ?, ?"
#define THIRTY_TWO EIGHT ", " EIGHT ", " EIGHT ", " EIGHT
#define EIGHT_WHEN \
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?" \
    " WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ? WHEN ? THEN ?"
#define THIRTY_TWO_WHEN EIGHT_WHEN EIGHT_WHEN EIGHT_WHEN EIGHT_WHEN
#define ITEM_COLUMNS "owner_id, state, price, currency, name, held_by, asset_id FROM items"
#define LEFT_MS(column) "TIMESTAMPDIFF(MICROSECOND, NOW(3), " column ") DIV 1000"
#define HEALTH_COLUMNS \
    "provider, disabled, switched_by, switch_note, " RFC3339("switched_at") ", " \
    RFC3339("opened_at") ", " LEFT_MS("open_until") ", " LEFT_MS("probe_until") ", reason"
/* what guichetctl shows, in the order of the columns of its tables */
#define SEEN_PAYMENT \
    "p.payment_id, " RFC3339("p.created_at") ", p.user_id, p.amount, p.currency, " STATUS_NOW \
    ", p.provider, p.type, p.method, " RFC3339("p.expires_at") ", p.refunded," \
    " NULLIF(p.dispute, 'none')"
#define SEEN_PAYMENTS_PAGE \
    " p.payment_id < ? AND p.provider = COALESCE(?, p.provider)" \
    " AND p.created_at >= COALESCE(" MS_TO_TIME ", p.created_at)" \
    " AND " STATUS_NOW " = COALESCE(?, " STATUS_NOW ") ORDER BY p.payment_id DESC LIMIT ?"
#define SEEN_REVIEW \
    "SELECT review_id, " RFC3339("created_at") ", IF(resolved_at IS NULL, 'open', 'resolved') AS state, kind," \
    " payment_id, provider, fact, inbox_id, " RFC3339("resolved_at") ", resolved_by, resolution, note" \
    " FROM reviews"
#define SEEN_NOTICE \
    "SELECT inbox_id, " RFC3339("received_at") ", provider, state, copies, tries, " RFC3339("due_at") \
    ", reference, note FROM inbox"
#define SEEN_DELIVERY \
    "SELECT d.delivery_id, " RFC3339("o.created_at") ", o.payment_id, o.topic, d.receiver, d.state," \
    " d.tries, " RFC3339("d.due_at") ", d.note FROM outbox o JOIN deliveries d USING (outbox_id)"
#define SEEN_DELIVERIES_PAGE \
    " d.delivery_id < ? AND d.state = COALESCE(?, d.state) AND d.receiver = COALESCE(?, d.receiver)" \
    " ORDER BY d.delivery_id DESC LIMIT ?"
/* clang-format on */

#endif
