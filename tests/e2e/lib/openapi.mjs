// Holds answers against nginx/www/openapi.json: path, method, status, headers, body and message.
// Knows nothing of what a test wants; an answer that is not described is wrong in every test.
// Run with a file that $OPENAPI_SEEN named, it tells what is described and was never answered.
import fs from 'node:fs';
import { fileURLToPath } from 'node:url';
import addFormats from 'ajv-formats';
import Ajv from 'ajv/dist/2020.js';

const FILE = new URL('../../../nginx/www/openapi.json', import.meta.url);
export const openapi = JSON.parse(fs.readFileSync(FILE, 'utf8'));
export const METHODS = ['get', 'post', 'put', 'patch', 'delete'];

// Pages of the demo, which are not part of the interface.
const OUTSIDE = /^\/shop(\/|$)/;
// The one other spelling that these paths have.
const ALIASES = { '/payment/': '/payment', '/paiement/': '/paiement', '/docs/': '/docs' };
// What any path may answer, described or not.
const ANYWHERE = '#/components/responses/Refusal';

const ajv = addFormats(new Ajv({ allErrors: true, allowUnionTypes: true }));
ajv.addVocabulary(Object.keys(openapi)); // the whole document stands in for a schema
ajv.addSchema(openapi, 'openapi.json');

// --- finding one's way in the document: everything is named by its pointer ---

const escaped = (step) => String(step).replaceAll('~', '~0').replaceAll('/', '~1');
export const below = (pointer, ...steps) => [pointer, ...steps.map(escaped)].join('/');

// The value at a pointer, and the pointer where it really stands, references followed.
export function at(pointer) {
    const steps = pointer.split('/').slice(1);
    const value = steps.reduce(
        (node, step) => node?.[step.replaceAll('~1', '/').replaceAll('~0', '~')], openapi);
    return typeof value?.$ref === 'string' ? at(value.$ref) : { value, pointer };
}

// What is wrong with a value in the eyes of the schema at a pointer; '' when nothing is.
export function misfit(pointer, value) {
    const validate = ajv.getSchema(`openapi.json${encodeURI(pointer)}`);
    if (validate(value)) return '';
    return ajv.errorsText(validate.errors, { dataVar: 'it' });
}

// All operations: {path, method, pointer, operation}.
export const operations = Object.entries(openapi.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method] !== undefined).map((method) =>
        ({ path, method, pointer: below('#/paths', path, method), operation: item[method] })));

const matchers = Object.keys(openapi.paths)
    .sort((a, b) => a.includes('{') - b.includes('{')) // what is spelt out goes first
    .map((path) => [path, new RegExp(`^${path.replaceAll('.', '\\.').replace(/\{\w+\}/g, '[^/]+')}$`)]);

function findOperation(method, path) {
    const wanted = ALIASES[path] ?? path;
    const template = matchers.find(([, matcher]) => matcher.test(wanted))?.[0];
    const word = method === 'HEAD' ? 'get' : method.toLowerCase();
    return operations.find((one) => one.path === template && one.method === word);
}

// The described response, as a pointer; undefined when the status is none of the operation's.
function findResponse(found, status) {
    if (found === undefined) return ANYWHERE;
    const { responses } = found.operation;
    const name = responses[status] !== undefined ? String(status) : 'default';
    return responses[name] && at(below(found.pointer, 'responses', name)).pointer;
}

// --- one answer ---

// Headers of the interface: an answer that has one says so.
const TELLING = ['Allow', 'Idempotent-Replayed', 'Location', 'Retry-After', 'WWW-Authenticate'];

function headerMisfits(response, pointer, answer) {
    const described = new Set(Object.keys(response.headers ?? {}));
    const untold = TELLING.filter((name) => name.toLowerCase() in answer.headers && !described.has(name));
    if (untold.length > 0) return untold.map((name) => `header ${name} is not described`);
    return Object.keys(response.headers ?? {}).flatMap((name) => {
        const header = at(below(pointer, 'headers', name));
        const value = answer.headers[name.toLowerCase()];
        if (value === undefined) return header.value.required ? [`no header ${name}`] : [];
        const whole = at(below(header.pointer, 'schema')).value.type === 'integer';
        const why = misfit(below(header.pointer, 'schema'), whole ? Number(value) : value);
        return why === '' ? [] : [`header ${name}: ${value}: ${why}`];
    });
}

// A shared response serves many statuses: its examples say which message belongs to which.
function pairMisfits(pointer, answer) {
    if (pointer !== ANYWHERE) return [];
    const examples = below(pointer, 'content', 'application/json', 'examples');
    const words = Object.keys(at(examples).value)
        .map((name) => at(below(examples, name)).value)
        .filter((example) => example['x-status'].includes(answer.status))
        .map((example) => example.value.content);
    return words.includes(answer.json?.content)
        ? [] : [`message; described anywhere with ${answer.status}: ${words.join(', ') || 'none'}`];
}

function bodyMisfits(response, pointer, answer) {
    const type = answer.headers['content-type']?.split(';')[0];
    if (response.content === undefined) return answer.text === '' ? [] : ['a body where none is described'];
    if (response.content[type] === undefined) return [`content type ${type}`];
    if (type !== 'application/json') return [];
    const why = misfit(below(pointer, 'content', type, 'schema'), answer.json);
    return why === '' ? pairMisfits(pointer, answer) : [why];
}

// Browsers' questions are nginx's to answer, for all paths alike; the document tells of them in words.
const isPreflight = (method, answer) =>
    method === 'OPTIONS' && answer.status === 204 && answer.text === '' && 'x-request-id' in answer.headers;

// What the answer has that the document does not describe, in words; '' when it fits.
export function misfitOf(method, path, answer) {
    if (OUTSIDE.test(path) || isPreflight(method, answer)) return '';
    const found = findOperation(method, path);
    const pointer = findResponse(found, answer.status);
    const where = found === undefined ? 'any path' : `${found.method.toUpperCase()} ${found.path}`;
    const said = `${method} ${path} answered ${answer.status} ${answer.text.slice(0, 300)}`;
    if (pointer === undefined) return `${said}: openapi.json has no such status for ${where}`;
    const response = at(pointer).value;
    const wrong = [...headerMisfits(response, pointer, answer),
        ...(method === 'HEAD' ? [] : bodyMisfits(response, pointer, answer))];
    if (wrong.length > 0) return `${said}: openapi.json (${where}) has it otherwise: ${wrong.join('; ')}`;
    note(found, pointer, answer);
    return '';
}

// --- what has been seen ---

const wordOf = (body) => (body?.err === true ? body.content : 'success');
// A response that operations share is one thing to see.
const lineOf = (found, pointer, status, word) => {
    const shared = /^#\/components\/responses\/(.*)/.exec(pointer);
    return [shared?.[1] ?? found.operation.operationId, status, word].join('\t');
};

const noted = new Set();
function note(found, pointer, answer) {
    const line = lineOf(found, pointer, answer.status, wordOf(answer.json));
    if (!process.env.OPENAPI_SEEN || noted.has(line)) return;
    noted.add(line);
    fs.appendFileSync(process.env.OPENAPI_SEEN, `${line}\n`);
}

// Every (operation or shared response, status, message) of the document, once.
export function describedLines() {
    return [...new Set(operations.flatMap((found) =>
        Object.keys(found.operation.responses).flatMap((name) => {
            const { value, pointer } = at(below(found.pointer, 'responses', name));
            const media = below(pointer, 'content', 'application/json', 'examples');
            const examples = Object.keys(at(media).value ?? { none: '' })
                .map((example) => at(below(media, example)).value);
            return examples.flatMap((example) =>
                (name === 'default' ? example['x-status'] : [name]).map((status) =>
                    lineOf(found, pointer, status, wordOf(example?.value))));
        })))];
}

function tellNeverSeen(file) {
    const seen = new Set(fs.existsSync(file) ? fs.readFileSync(file, 'utf8').split('\n') : []);
    const described = describedLines();
    const never = described.filter((line) => !seen.has(line));
    console.log(`openapi: ${described.length - never.length} of ${described.length} described answers were seen; never:`);
    for (const line of never) console.log(`    ${line.replaceAll('\t', ' ')}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) tellNeverSeen(process.argv[2]);
