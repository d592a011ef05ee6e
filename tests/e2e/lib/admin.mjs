// A shell that runs an admin's lines in a private folder, which is their root folder: paths are
// rewritten, and commands that would change the machine are played by lib/admin.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const PLAYER = fileURLToPath(new URL('admin', import.meta.url));
const PLAYED = ['apt-get', 'make', 'systemd-sysusers', 'systemd-tmpfiles', 'mariadb', 'runuser',
    'systemctl', 'nginx', 'curl'];
const DONE = '\x01done\n';

// root: the folder; cwd: where the shell starts; env: more environment. One session: variables
// stay from one call of run() to the next, and whatever fails ends it.
export function openAdminShell({ root, cwd, env }) {
    const bin = path.join(root, 'played');
    fs.mkdirSync(bin, { recursive: true });
    for (const name of PLAYED) fs.symlinkSync(PLAYER, path.join(bin, name));
    fs.mkdirSync(path.join(root, 'root'));
    const shell = spawn('bash', ['--norc', '--noprofile', '-euo', 'pipefail'], {
        cwd,
        env: {
            ...env,
            DEPLOY_ROOT: root,
            HOME: path.join(root, 'root'),
            PATH: `${bin}:${root}/usr/local/sbin:${env.PATH}`,
        },
    });
    let output = '';
    let errors = '';
    let settle = () => {};
    shell.stdin.on('error', () => {}); // it has ended: the exit below tells
    shell.stdout.setEncoding('utf8').on('data', (text) => settle((output += text)));
    shell.stderr.setEncoding('utf8').on('data', (text) => (errors += text));

    // Resolves with what the lines printed.
    function run(lines) {
        const file = path.join(root, 'lines.sh');
        const there = lines.replace(/(?<![\w.$}])\/(etc|run|var|usr\/local)\//g, `${root}/$1/`);
        fs.writeFileSync(file, there);
        [output, errors] = ['', ''];
        return new Promise((resolve, reject) => {
            const onExit = (status) =>
                reject(new Error(`ended with ${status}:\n${lines}\n${output}\n${errors}`));
            shell.once('close', onExit);
            settle = () => {
                if (!output.endsWith(DONE)) return;
                shell.off('close', onExit);
                resolve(output.slice(0, -DONE.length));
            };
            shell.stdin.write(`. '${file}' </dev/null; printf '\\001done\\n'\n`);
        });
    }

    return { run, end: () => shell.stdin.end(), hasEnded: () => shell.exitCode !== null };
}
