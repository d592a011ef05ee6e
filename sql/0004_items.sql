-- What is for sale.

CREATE TABLE IF NOT EXISTS items (
    asset_id BIGINT NOT NULL COMMENT 'Steam assetId',
    owner_id BIGINT NOT NULL,
    state SMALLINT NOT NULL DEFAULT 0 COMMENT '0 inventory, 1 on sale, 2 pending withdrawal, 3 active trade, negative reserved',
    price BIGINT NOT NULL COMMENT 'minor units',
    currency CHAR(3) CHARACTER SET ascii COLLATE ascii_bin NOT NULL DEFAULT 'USD',
    name VARCHAR(128) NOT NULL,
    game INT NOT NULL COMMENT 'Steam application id',
    held_by VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'the open payment that reserves it',
    PRIMARY KEY (asset_id),
    KEY items_of_owner (owner_id),
    KEY items_of_payment (held_by),
    CONSTRAINT item_owner FOREIGN KEY (owner_id) REFERENCES users (user_id),
    CONSTRAINT item_hold FOREIGN KEY (held_by) REFERENCES payments (payment_id),
    CONSTRAINT item_price CHECK (price > 0)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'items of the marketplace';
