// Those who make trouble while the clients are at work: whoever kills, the provider's bad days, and
// sellers who change their minds. Each follows its own part of the plan until it is stopped.
import { sleep } from '../e2e/lib/client.mjs';
import { VICTIMS, killOf, mischiefOf, tickOf } from './plan.mjs';

const CALM_REQUESTS = 10; // between two faults, however slow the machine is
const ARMED_MOST = 30; // of the 64 that the sandbox can hold; the notices' faults need room too

export function startTrouble(shop, { seed, assets, seen }) {
    const kills = Object.fromEntries(VICTIMS.map((victim) => [victim, 0]));
    let over = false;

    const pause = async (ms) => {
        const end = Date.now() + ms;
        while (!over && Date.now() < end) await sleep(Math.min(100, Math.max(1, end - Date.now())));
        return !over;
    };

    // One process; its supervisor starts another one.
    function killOne(part, which) {
        const pids = shop.pids(part);
        if (pids.length === 0) return;
        try {
            process.kill(pids[which % pids.length], 'SIGKILL');
            kills[part]++;
        } catch (error) {
            if (error.code !== 'ESRCH') throw error;
        }
    }

    async function killDatabase(away) {
        await shop.killPart('mariadb');
        kills.mariadb++;
        await sleep(away);
        await shop.startPart('mariadb');
    }

    async function killer(victim) {
        for (let number = 0; ; number++) {
            const { gap, which, away } = killOf(seed, victim, number);
            if (!(await pause(gap))) return;
            if (victim === 'mariadb') await killDatabase(away);
            else killOne(victim, which);
        }
    }

    async function mischief() {
        for (let number = 0; ; number++) {
            const { gap, fault: name, ...args } = mischiefOf(seed, number);
            const before = seen.requests;
            if (!(await pause(gap))) return;
            while (seen.requests < before + CALM_REQUESTS) if (!(await pause(50))) return;
            const { armed } = await shop.sandbox.fault(name, args);
            seen.faults[name] = (seen.faults[name] ?? 0) + (args.count ?? 1);
            while (armed.length > ARMED_MOST && (await pause(200)))
                if ((await shop.sandbox.journal({ order_id: 'none' })).armed.length <= ARMED_MOST) break;
        }
    }

    async function tick({ relist, reprice, price, withdraw }) {
        const sold = await shop.rows(
            `SELECT asset_id FROM items WHERE asset_id IN (?) AND state IN (0, 2) AND held_by IS NULL LIMIT ?`,
            [assets, relist],
        );
        const again = 'UPDATE items SET state = 1 WHERE asset_id = ? AND state IN (0, 2) AND held_by IS NULL';
        for (const { asset_id: asset } of sold) await shop.rows(again, [asset]);
        if (reprice !== null)
            await shop.rows('UPDATE items SET price = ? WHERE asset_id = ?', [price, assets[reprice]]);
        if (withdraw !== null) await takeAway(assets[withdraw]);
    }

    async function takeAway(asset) {
        const holder = await shop.value('SELECT held_by FROM items WHERE asset_id = ?', [asset]);
        if (holder === null) return;
        seen.withdrawn.add(holder);
        await shop.rows('UPDATE items SET state = 2, held_by = NULL WHERE asset_id = ? AND held_by = ?', [asset, holder]);
    }

    async function market() {
        for (let number = 0; ; number++) {
            const plan = tickOf(seed, number);
            if (!(await pause(plan.gap))) return;
            await tick(plan).catch(() => {}); // the database is away, or somebody was in the way
        }
    }

    const note = (who) => (error) => seen.problems.push(`${who}: ${error.message}`);
    const actors = [
        ...VICTIMS.map((victim) => killer(victim).catch(note(`killer of ${victim}`))),
        mischief().catch(note('mischief')),
        market().catch(note('market')),
    ];
    return {
        kills,
        async stop() {
            over = true;
            await Promise.all(actors);
        },
    };
}
