-- How a payer pays who has no address to go to (a bank wire), and what is known of his card.

ALTER TABLE attempt_answers
    ADD COLUMN IF NOT EXISTS instructions VARCHAR(1024) NULL COMMENT 'an object of JSON for the payer: whom to wire the money to, and with which reference';

-- Up to when a provider's own list of events was read, to find what its notices have not told.
ALTER TABLE provider_silences
    ADD COLUMN IF NOT EXISTS swept_s BIGINT NULL COMMENT 'Unix time, by our clock; NULL: never';
