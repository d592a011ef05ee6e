-- Carts: what a payment buys, and what the two creating endpoints know of it.

ALTER TABLE payments
    MODIFY COLUMN provider VARCHAR(16) CHARACTER SET ascii COLLATE ascii_bin NOT NULL COMMENT 'as the caller asked for it; who was called stands in attempts',
    MODIFY COLUMN method VARCHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'as the caller asked for it; NULL: the provider\'s hosted default',
    MODIFY COLUMN tos_accepted_at DATETIME(3) NULL COMMENT 'by the client\'s clock; NULL: POST /paiement does not ask',
    ADD COLUMN IF NOT EXISTS surface ENUM('payment', 'paiement') NOT NULL DEFAULT 'payment' COMMENT 'the endpoint that made it, which is also the shape of its answer',
    ADD COLUMN IF NOT EXISTS return_url VARCHAR(2048) CHARACTER SET ascii COLLATE ascii_bin NULL COMMENT 'where the payer goes afterwards; it was on the list of allowed hosts';

CREATE TABLE IF NOT EXISTS payment_items (
    payment_id VARCHAR(40) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
    asset_id BIGINT NOT NULL,
    seller_id BIGINT NOT NULL COMMENT 'the owner when the payment was made',
    price BIGINT NOT NULL COMMENT 'minor units of the payment\'s currency, as asked for then',
    fee BIGINT NOT NULL COMMENT 'what the house keeps of the price',
    name VARCHAR(128) NOT NULL,
    PRIMARY KEY (payment_id, asset_id),
    CONSTRAINT item_payment FOREIGN KEY (payment_id) REFERENCES payments (payment_id),
    CONSTRAINT item_seller FOREIGN KEY (seller_id) REFERENCES users (user_id),
    CONSTRAINT item_sold_price CHECK (price > 0 AND fee BETWEEN 0 AND price)
) ENGINE = InnoDB DEFAULT CHARACTER SET utf8mb4 COMMENT 'the cart of a payment of type items, as it was bought; never changed';

-- The payer's browser may come back with the provider's own name for the payment only.
ALTER TABLE attempt_answers ADD INDEX IF NOT EXISTS answers_by_reference (provider_reference);
