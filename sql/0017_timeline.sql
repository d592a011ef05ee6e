-- The timeline is told by payments and attempt_answers themselves where they know it: a create is
-- two rows fewer. Events of the kinds 'created' and 'attempt' are from before; nobody reads them.

ALTER TABLE attempt_answers
    ADD COLUMN IF NOT EXISTS source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NULL DEFAULT 'request' COMMENT 'who brought it: request, check; NULL: a notice, which the timeline has already';

UPDATE events e STRAIGHT_JOIN attempts a ON a.payment_id = e.payment_id
        STRAIGHT_JOIN attempt_answers d ON d.attempt_id = a.attempt_id
    SET d.source = 'check'
    WHERE e.kind = 'attempt' AND e.source = 'check' AND ABS(TIMESTAMPDIFF(MICROSECOND, e.created_at, d.created_at)) < 1000000;

UPDATE attempt_answers SET source = NULL WHERE outcome = 'pending' AND reason = 'learnt from the provider\'s notice';
