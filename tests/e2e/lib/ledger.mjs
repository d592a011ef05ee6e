// What the ledger says of one payment, and of one payer.
import assert from 'node:assert/strict';

export function makeLedger(shop) {
    const credits = (id) =>
        shop.value("SELECT COUNT(*) FROM ledger_postings WHERE document_id = ? AND effect = 'credit'", [id]);
    const entries = (id) =>
        shop.rows(
            `SELECT a.kind, a.owner, p.effect, e.amount, e.currency FROM ledger_postings p
             JOIN ledger_entries e USING (posting_id) JOIN ledger_accounts a USING (account_id)
             WHERE p.document_id = ? ORDER BY p.posting_id, e.line`,
            [id],
        );
    // Fn moves alice's balance by so much, and not otherwise.
    async function moves(amount, fn, currency) {
        const { client, users: { alice } } = shop;
        const before = await client.balance(alice, currency);
        await fn();
        assert.equal(await client.balance(alice, currency), before + amount);
    }
    return { credits, entries, moves };
}
