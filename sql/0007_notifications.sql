-- Telling people: alerts inside the marketplace, and what leaves through the outbox.

CREATE TABLE IF NOT EXISTS notifications (
    notification_id BIGINT NOT NULL AUTO_INCREMENT,
    user_id BIGINT NOT NULL,
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    kind VARCHAR(32) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'payment.completed, …',
    text VARCHAR(255) NOT NULL,
    created_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    read_at DATETIME(3) NULL,
    PRIMARY KEY (notification_id),
    UNIQUE KEY notified_once (payment_id, user_id, kind),
    KEY notifications_of_user (user_id, read_at, notification_id),
    CONSTRAINT notification_user FOREIGN KEY (user_id) REFERENCES users (user_id),
    CONSTRAINT notification_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'what a user is told inside the marketplace';

CREATE TABLE IF NOT EXISTS deliveries (
    delivery_id BIGINT NOT NULL AUTO_INCREMENT,
    outbox_id BIGINT NOT NULL,
    receiver VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'mail: the payer\'s address',
    state ENUM('waiting', 'done', 'dead') NOT NULL DEFAULT 'waiting' COMMENT 'dead: given up, see note',
    note VARCHAR(255) NOT NULL DEFAULT '',
    tries SMALLINT NOT NULL DEFAULT 0,
    due_at DATETIME(3) NULL DEFAULT CURRENT_TIMESTAMP(3) COMMENT 'the next try; also the lease. NULL once it is over',
    PRIMARY KEY (delivery_id),
    UNIQUE KEY delivered_once (outbox_id, receiver),
    KEY deliveries_due (due_at),
    CONSTRAINT delivery_outbox FOREIGN KEY (outbox_id) REFERENCES outbox (outbox_id),
    CONSTRAINT delivery_due_open CHECK ((due_at IS NULL) = (state <> 'waiting'))
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'work queue: an event of the outbox on its way to one receiver';
