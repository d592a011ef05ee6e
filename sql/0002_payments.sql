-- A payment, what we tried at the provider, what it answered, and what happened when.
-- Only payments.status and the two work columns of payment_checks ever change; the rest is appended.

CREATE TABLE IF NOT EXISTS payments (
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'PAY_ and a ULID: sorts by time',
    user_id BIGINT NOT NULL COMMENT 'the payer',
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    type ENUM('balance', 'items') NOT NULL,
    amount BIGINT NOT NULL COMMENT 'minor units of the currency',
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    method VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the provider\'s own method; NULL: its hosted default',
    status ENUM('pending', 'processing', 'completed', 'failed', 'expired', 'refunded', 'partially_refunded', 'disputed') NOT NULL DEFAULT 'pending' COMMENT 'changed by compare-and-set only',
    tos_accepted_at DATETIME(3) NOT NULL COMMENT 'by the client\'s clock',
    checkout_created_at DATETIME(3) NULL COMMENT 'by the client\'s clock; for audits',
    client_ip VARCHAR(45) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    request_id VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    expires_at DATETIME(3) NOT NULL COMMENT 'by the database\'s clock; a success after it still counts',
    PRIMARY KEY (payment_id),
    KEY payments_of_user (user_id, payment_id),
    CONSTRAINT payment_user FOREIGN KEY (user_id) REFERENCES users (user_id),
    CONSTRAINT payment_amount_positive CHECK (amount > 0),
    CONSTRAINT payment_currency CHECK (currency REGEXP '^[A-Z]{3}$'),
    CONSTRAINT payment_life CHECK (expires_at > created_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'one row per payment: the intent, committed before any provider is called';

CREATE TABLE IF NOT EXISTS attempts (
    attempt_id BIGINT NOT NULL AUTO_INCREMENT,
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    number SMALLINT NOT NULL,
    provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    reference VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'ours; the provider shows it again',
    deadline_at DATETIME(3) NOT NULL COMMENT 'the call has ended by then, whatever became of it',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (attempt_id),
    UNIQUE KEY attempt_number (payment_id, number),
    UNIQUE KEY attempt_reference (provider, reference),
    CONSTRAINT attempt_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'calls that may move money, written before they are made; an attempt without a definite answer is being sent, or unknown';

CREATE TABLE IF NOT EXISTS attempt_answers (
    answer_id BIGINT NOT NULL AUTO_INCREMENT,
    attempt_id BIGINT NOT NULL,
    outcome ENUM('done', 'pending', 'declined', 'refused', 'not_sent', 'unknown') NOT NULL,
    definite TINYINT NULL COMMENT '1, or NULL for unknown: at most one definite answer per attempt',
    http_status SMALLINT NULL,
    provider_reference VARCHAR(128) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the provider\'s own name for the payment (a Payviox session_id)',
    url VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'where the payer goes',
    reason VARCHAR(255) NOT NULL DEFAULT '' COMMENT 'why not, in words for an operator',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (answer_id),
    UNIQUE KEY one_definite_answer (attempt_id, definite),
    CONSTRAINT answer_attempt FOREIGN KEY (attempt_id) REFERENCES attempts (attempt_id),
    CONSTRAINT answer_definite CHECK ((definite IS NULL) = (outcome = 'unknown'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'what a provider said to an attempt, or that nobody knows';

CREATE TABLE IF NOT EXISTS events (
    event_id BIGINT NOT NULL AUTO_INCREMENT,
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    detail VARCHAR(255) NOT NULL DEFAULT '',
    source VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'who brought it: request, webhook, check, expiry',
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (event_id),
    KEY events_of_payment (payment_id, event_id),
    CONSTRAINT event_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'the timeline of a payment';

CREATE TABLE IF NOT EXISTS payment_checks (
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    due_at DATETIME(3) NOT NULL COMMENT 'also the lease: whoever takes the row moves it forward first',
    tries SMALLINT NOT NULL DEFAULT 0,
    PRIMARY KEY (payment_id),
    KEY checks_due (due_at),
    CONSTRAINT check_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'work queue: payments whose truth the jobs program still has to ask for; a row goes when nothing is left to learn';
