-- How old is the oldest thing that is not done? Each question is answered from an index.

ALTER TABLE payments ADD INDEX IF NOT EXISTS payments_by_status (status, created_at);
