-- Cards that were declined lately, for the limits of [velocity] in guichet.conf: whoever tries many is
-- testing what he has stolen, and the card networks bill the marketplace for it.

CREATE TABLE IF NOT EXISTS declines (
    decline_id BIGINT NOT NULL AUTO_INCREMENT,
    subject BINARY(32) NOT NULL COMMENT 'keyed hash of the payer, the address or the card',
    declined_at DATETIME(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3),
    PRIMARY KEY (decline_id),
    KEY declines_of_subject (subject, declined_at),
    KEY declines_by_age (declined_at)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'kept for 24 hours';
