// The life of a cart that is paid through a provider. Bob sells.
import assert from 'node:assert/strict';
import { hurryUntil, statusOf } from './chaos.mjs';
import { accepted } from './expect.mjs';
import { addItems, itemOf } from './market.mjs';

export function makeCarts(shop) {
    const { client, sandbox, users: { bob } } = shop;

    const onSale = (...prices) => addItems(shop, bob, prices);
    const holderOf = async (asset) => (await itemOf(shop, asset)).holder;
    const creates = (id) => sandbox.creates({ order_id: id });

    // Creates a payment for a cart that must succeed in being created.
    async function open(user, items, extra, options) {
        const answer = await client.buy(user, items, extra, options);
        accepted(answer);
        return answer;
    }

    // Pays, and waits until the books know.
    async function pay(user, { id }) {
        await sandbox.act('pay', { order_id: id });
        return client.paymentIs(user, id, 'completed');
    }

    // Lets the jobs look at the payment until it has this status.
    const becomes = (id, status) => hurryUntil(shop, async () => (await statusOf(shop, id)) === status, { id });

    async function assertSold(asset, to) {
        assert.deepEqual(await itemOf(shop, asset), { owner: to.id, state: 0, holder: null });
    }

    return { onSale, holderOf, creates, open, pay, becomes, assertSold };
}
