-- What the running programs may do; granted anew by every migration, to a role that the
-- programs' database account takes on. No DDL, and no DELETE where money or its history is kept.

CREATE ROLE IF NOT EXISTS guichet_runtime;
GRANT SELECT ON schema_migrations TO guichet_runtime;
GRANT SELECT (user_id, name, email, role, banned_at) ON users TO guichet_runtime;
GRANT SELECT ON api_keys TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (status, refunded, dispute, paid_by) ON payments TO guichet_runtime;
GRANT SELECT, INSERT ON payment_items TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (reference) ON refunds TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (state, reference, note, tries, due_at) ON refund_orders TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (state) ON disputes TO guichet_runtime;
GRANT SELECT, INSERT ON reviews TO guichet_runtime;
GRANT SELECT, INSERT ON payment_cards TO guichet_runtime;
GRANT SELECT, INSERT ON recurring_registrations TO guichet_runtime;
GRANT SELECT, INSERT ON attempts TO guichet_runtime;
GRANT SELECT, INSERT ON attempt_answers TO guichet_runtime;
GRANT SELECT, INSERT ON learnt_references TO guichet_runtime;
GRANT SELECT, INSERT ON events TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (due_at, tries, asked_at, resume_at, extra), DELETE ON payment_checks TO guichet_runtime;
GRANT SELECT, INSERT ON ledger_accounts TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE ON balances TO guichet_runtime;
GRANT SELECT, INSERT ON ledger_postings TO guichet_runtime;
GRANT SELECT, INSERT ON ledger_entries TO guichet_runtime;
GRANT SELECT, UPDATE (owner_id, state, held_by) ON items TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (hurried_at, swept_s) ON provider_silences TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE ON inbox TO guichet_runtime;
GRANT SELECT, INSERT ON outbox TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (state, note, tries, due_at) ON deliveries TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE, DELETE ON receivers TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (read_at) ON notifications TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE (status, body, payment_id), DELETE ON idempotency_keys TO guichet_runtime;
GRANT SELECT, INSERT, DELETE ON declines TO guichet_runtime;
GRANT SELECT, INSERT (provider), UPDATE (opened_at, open_until, probe_id, probe_until, reason)
    ON provider_health TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE ON provider_calls TO guichet_runtime;
GRANT SELECT, INSERT, UPDATE ON counters TO guichet_runtime;
