// A browser of Debian's for tests: everything that fails, is refused or is reported in it counts.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { chromium } from 'playwright-core';

export const DESKTOP = { viewport: { width: 1280, height: 800 } };
export const PHONE = { viewport: { width: 360, height: 740 }, isMobile: true, hasTouch: true };

const CHROMIUM = {
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-sync',
        '--disable-background-networking', '--disable-component-update'],
};

// Runs fn(page) in a browser of its own. Nothing may fail, be refused or be reported by the
// browser meanwhile, but for what `expected` matches.
export async function browse(options, fn, expected = /^$/) {
    const browser = await chromium.launch(CHROMIUM);
    try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-US',
            ...options });
        context.setDefaultTimeout(30_000); // the machine may be slow
        const problems = [];
        watch(context, (problem) => expected.test(problem) || problems.push(problem));
        if (options.javaScriptEnabled !== false) await context.addInitScript(reportViolations);
        await fn(await context.newPage());
        assert.deepEqual(problems, []);
    } finally {
        await browser.close();
    }
}

function watch(context, note) {
    context.on('console', (message) => {
        if (['error', 'warning'].includes(message.type())) note(`console: ${message.text()}`);
    });
    context.on('weberror', (error) => note(`page error: ${error.error().message}`));
    context.on('requestfailed', (request) => note(`${request.url()}: ${request.failure()?.errorText}`));
    context.on('response', (response) => {
        if (response.status() >= 400) note(`${response.url()}: ${response.status()}`);
    });
}

function reportViolations() {
    document.addEventListener('securitypolicyviolation', (event) =>
        console.error(`policy violation: ${event.violatedDirective} ${event.blockedURI}`),
    );
}

// Pictures of what was seen, in the instance's folder, and also in $SCREENSHOTS when it is set.
export function makeShots(shop) {
    const folder = process.env.SCREENSHOTS ?? path.join(shop.home, 'screenshots');
    fs.mkdirSync(folder, { recursive: true });
    return (page, name) => page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
}

// Of the screen's width: on a phone innerWidth grows with what is too wide.
export async function assertNoSideScroll(page) {
    const content = await page.evaluate(() => document.documentElement.scrollWidth);
    const { width } = page.viewportSize();
    assert(content <= width, `${page.url()} is ${content} wide on a screen of ${width}`);
}

// The provider's hosted page.
export async function payByCard(page, number) {
    await page.getByLabel('Card number').fill(number);
    await page.getByLabel('Expiry date').fill('12/40');
    await page.getByLabel('Security code').fill('123');
    await page.getByRole('button', { name: /^Pay \d/ }).click();
}

export const sees = (page, text) => page.getByText(text).first().waitFor();
