-- Events leave for the marketplace's own endpoints: what is said, to whom, and who takes no more.

ALTER TABLE outbox
    ADD COLUMN IF NOT EXISTS body BLOB NULL COMMENT 'the event as JSON, the same bytes for every receiver and every try; NULL: not for receivers';

CREATE TABLE IF NOT EXISTS receivers (
    name VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'its section of guichet.conf; deliveries name it',
    url VARCHAR(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as the jobs program last read it',
    disabled_at DATETIME(3) NULL COMMENT 'it said that it is gone: nothing is sent until a person enables it or its url changes',
    rests_until DATETIME(3) NULL COMMENT 'it said that this is too much: nothing is sent until then',
    note VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'why it is disabled or rests',
    PRIMARY KEY (name)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'who is told of every event, written by the jobs program from its settings';

-- A queue per receiver: however many events wait for one, another's are found at once.
ALTER TABLE deliveries
    MODIFY COLUMN receiver VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'a row of receivers, or mail: the payer\'s address',
    ADD INDEX IF NOT EXISTS deliveries_of_receiver (receiver, due_at),
    DROP INDEX IF EXISTS deliveries_due;
