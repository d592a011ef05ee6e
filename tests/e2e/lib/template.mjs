// Makes DIR, of which tests start copies: template.mjs DIR. A demo that is started and ended once, with all
// the questions of an end; what stays is what takes time to make.
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { startInstance } from './instance.mjs';

const [, , folder] = process.argv;
const demo = await startInstance({ name: 'template', alone: true });
demo.keep = true;
try {
    await demo.stop();
    fs.rmSync(folder, { recursive: true, force: true });
    fs.mkdirSync(folder);
    const made = ['secrets', 'tls', 'db'].map((name) => path.join(demo.home, name));
    execFileSync('cp', ['-a', '--sparse=always', ...made, folder]);
} finally {
    fs.rmSync(demo.home, { recursive: true });
}
