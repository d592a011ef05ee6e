// One chaos run: a private chain, the load and the trouble for some time, calm, and the oracle.
import fs from 'node:fs';
import https from 'node:https';
import path from 'node:path';
import { sleep } from '../e2e/lib/client.mjs';
import { startInstance } from '../e2e/lib/instance.mjs';
import { addBuyers, addItems } from '../e2e/lib/market.mjs';
import { calmDown } from './calm.mjs';
import { makeDice } from './dice.mjs';
import { makeLoad, newSeen } from './load.mjs';
import { judge } from './oracle.mjs';
import { ITEMS } from './plan.mjs';
import { startTrouble } from './trouble.mjs';

const BUYERS = 12;
const PROGRESS_MS = 5000;

const SETTINGS = {
    'payment.lifetime': 60, // so that what nobody pays ends within the run
    'provider.timeout': 3000,
    'provider.connect_timeout': 1000,
    'jobs.idle_wait': 50,
    // a breaker that opens in a bad spell, and not by what happens all the time
    'breaker.failures': 80,
    'breaker.minimum': 10,
    'breaker.window': 3,
    'breaker.cool_down': 2,
};

export const sum = (table) => Object.values(table).reduce((total, number) => total + number, 0);

// The provider repeats a notice that met a dead handler after 0.6 s, 6 s and 36 s.
async function hastenProvider(shop) {
    fs.appendFileSync(path.join(shop.home, 'sandbox.conf'), '\n[sandbox]\nretry_scale = 2\n');
    await shop.restartPart('sandbox');
}

async function openMarket(shop, seed) {
    const dice = makeDice(seed, 'prices');
    const sellers = [shop.users.bob, ...(await addBuyers(shop, BUYERS))];
    const assets = [];
    for (const seller of sellers) {
        const prices = Array.from({ length: Math.ceil(ITEMS / sellers.length) }, () => dice.between(100, 900));
        assets.push(...(await addItems(shop, seller, prices)));
    }
    return { users: sellers.slice(1), assets: assets.slice(0, ITEMS) };
}

// The load and the trouble, for so many seconds and requests at least; both have ended when it resolves.
async function storm(shop, { seed, seconds, requests, clients, seen, say }) {
    const market = await openMarket(shop, seed);
    const load = makeLoad(shop, { seed, ...market, seen, operator: shop.users.olivia });
    const started = Date.now();
    const trouble = startTrouble(shop, { seed, ...market, seen });
    const progress = setInterval(() => {
        const passed = (Date.now() - started) / 1000;
        const kills = Object.entries(trouble.kills).map(([part, number]) => `${part} ${number}`).join(', ');
        say(`${passed.toFixed(0)} s: ${seen.requests} requests (${(seen.requests / passed).toFixed(0)}/s), ` +
            `${seen.keys.size + seen.plain.length} acknowledged, kills: ${kills}`);
    }, PROGRESS_MS);
    try {
        const clientsDone = load.run(clients);
        while (Date.now() - started < seconds * 1000 || seen.requests < requests) await sleep(100);
        load.end();
        await clientsDone;
        return { loadMs: Date.now() - started, kills: trouble.kills };
    } finally {
        clearInterval(progress);
        load.end();
        await trouble.stop();
        await load.idle();
    }
}

// {seed, seconds, requests (the load goes on until there are so many), clients, say: fn(line), keep:
// the folder of a good run too}. Resolves to everything that the report tells; `home` is the folder if
// it was kept.
export async function runChaos({ seed, seconds, requests = 0, clients, say, keep = false }) {
    const agent = new https.Agent({ keepAlive: true, maxSockets: 256 });
    const shop = await startInstance({ name: 'chaos', alone: true, agent, processes: 4, set: SETTINGS });
    const seen = newSeen();
    const result = { seed, seconds, requests, clients, seen };
    try {
        await hastenProvider(shop);
        Object.assign(result, await storm(shop, { seed, seconds, requests, clients, seen, say }));
        result.calm = await calmDown(shop, seed, seen, say);
        say('the oracle reads the books');
        result.verdict = await judge(shop, seen, result.calm.open);
    } catch (error) {
        seen.problems.push(`the run itself: ${error.stack}`);
        result.verdict = { lost: [], doubled: [], wrong: seen.problems, stuck: 0 };
    }
    const { lost, doubled, wrong } = result.verdict;
    result.passed = lost.length + doubled.length + wrong.length === 0;
    shop.keep = !result.passed || keep;
    agent.destroy();
    await shop.stop().catch((error) => {
        wrong.push(`the end: ${error.message}`);
        result.passed = false;
    });
    if (shop.keep) result.home = shop.home;
    return result;
}
