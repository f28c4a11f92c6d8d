// Teams that hand in data sets at once: start, upload, complete, ask for the verdict. See README.md.

import { check, fail, sleep } from 'k6';
import { SharedArray } from 'k6/data';
import crypto from 'k6/crypto';
import encoding from 'k6/encoding';
import http from 'k6/http';
import { Rate, Trend } from 'k6/metrics';

const URL = (__ENV.LUNA_URL || 'http://127.0.0.1:8000').replace(/\/$/, '');
const API = `${URL}/api/v1`;
const TEAMS = number('TEAMS', 24);
const FILES = number('FILES', 20);
const SIDE = number('SIDE', 256);
// How long a team waits for a verdict before it calls the service broken.
const PATIENCE = number('PATIENCE', 1800);
const SOAK = __ENV.SOAK;
// A different one costs each team a third of a second to unpack.
const PICTURES = Math.min(FILES, 3);

function number(name, usual) {
  const value = Number(__ENV[name] || usual);
  if (!Number.isInteger(value) || value < 1) {
    throw new Error(`${name}: not a number of one or more: ${__ENV[name]}`);
  }
  return value;
}

const right = new Rate('right_verdicts');
const waited = new Trend('time_to_verdict', true);

const once = { executor: 'per-vu-iterations', vus: TEAMS, iterations: 1, maxDuration: '3h' };
// Whoever has begun when the time is over may end.
const soak = { executor: 'constant-vus', vus: TEAMS, duration: SOAK, gracefulStop: `${PATIENCE}s` };

export const options = {
  scenarios: { teams: SOAK ? soak : once },
  setupTimeout: '5m',
  teardownTimeout: '5m',
  summaryTrendStats: ['med', 'p(95)', 'max', 'count'],
  thresholds: {
    right_verdicts: ['rate==1'],
    http_req_failed: ['rate<0.01'],
    'http_req_duration{name:start}': ['p(95)<2000'],
    'http_req_duration{name:complete}': ['p(95)<2000'],
    'http_req_duration{name:status}': ['p(95)<2000'],
    'http_req_duration{name:put}': ['p(95)<10000'],
    time_to_verdict: [`p(95)<${number('VERDICT_SECONDS', 600) * 1000}`],
  },
};

// A team that is told to wait waits; that is no failure.
http.setResponseCallback(http.expectedStatuses({ min: 200, max: 299 }, 429));

const crcTable = new Uint32Array(256).map((_, n) => {
  let c = n;
  for (let bit = 0; bit < 8; bit += 1) {
    c = c & 1 ? (c >>> 1) ^ 0xedb88320 : c >>> 1;
  }
  return c;
});

// A grey PNG whose pixels are stored and not compressed, for want of a deflate here.
function picture(seed, side) {
  const across = Array.from({ length: side }, (_, x) => 90 * Math.sin((x * (3 + (seed % 3))) / side));
  const down = Array.from({ length: side }, (_, y) => Math.cos((y * 2.5) / side));
  const size = side * (side + 1);
  const blocks = Math.ceil(size / 65535);
  const stored = 2 + 5 * blocks + size + 4;
  const out = new Uint8Array(8 + 25 + 12 + stored + 12);
  let at = 0;
  const bytes = (...values) => values.forEach((value) => { out[at++] = value; });
  const word = (n) => bytes(n >>> 24, n >>> 16, n >>> 8, n);
  const chunk = (kind, length, fill) => {
    word(length);
    const begin = at;
    bytes(...kind);
    fill();
    let crc = 0xffffffff;
    for (let n = begin; n < at; n += 1) crc = crcTable[(crc ^ out[n]) & 255] ^ (crc >>> 8);
    word(~crc);
  };
  bytes(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  chunk([0x49, 0x48, 0x44, 0x52], 13, () => {
    word(side);
    word(side);
    bytes(8, 0, 0, 0, 0);
  });
  chunk([0x49, 0x44, 0x41, 0x54], stored, () => {
    bytes(0x78, 0x01);
    let [a, b] = [1, 0];
    for (let n = 0; n < size; n += 1) {
      if (n % 65535 === 0) {
        const block = Math.min(65535, size - n);
        bytes(n + block === size ? 1 : 0, block, block >> 8, ~block, ~block >> 8);
      }
      // Each row begins with its filter, none.
      const y = Math.floor(n / (side + 1));
      const x = n - y * (side + 1) - 1;
      const value = x < 0 ? 0 : 128 + across[x] * down[y] + ((x * (seed + 7) + y * 13 + x * y) % 23);
      out[at] = value;
      a = (a + out[at]) % 65521;
      b = (b + a) % 65521;
      at += 1;
    }
    bytes(b >> 8, b, a >> 8, a);
  });
  chunk([0x49, 0x45, 0x4e, 0x44], 0, () => {});
  return out.buffer;
}

// Made once for all teams; binary data is shared as text.
const pictures = new SharedArray('pictures', () =>
  Array.from({ length: PICTURES }, (_, seed) => encoding.b64encode(picture(seed, SIDE))),
);

// Each team unpacks them once.
const unpacked = [];
function unpack(n) {
  unpacked[n] = unpacked[n] || encoding.b64decode(pictures[n], 'std');
  return unpacked[n];
}

function asked(name, method, url, body, headers) {
  for (;;) {
    const answer = http.request(method, url, body, { headers, tags: { name }, timeout: '120s' });
    if (answer.status !== 429) return answer;
    sleep(Number(answer.headers['Retry-After'] || 1));
  }
}

function said(name, method, path, value, headers) {
  const body = value === null ? null : JSON.stringify(value);
  const answer = asked(name, method, `${API}${path}`, body, headers);
  if (answer.status < 200 || answer.status > 299) {
    fail(`${name}: ${answer.status} ${answer.error} ${String(answer.body).slice(0, 300)}`);
  }
  return answer.body ? answer.json() : null;
}

function administrator() {
  if (!__ENV.LUNA_PASSWORD) {
    fail('LUNA_PASSWORD: the password of an administrator (LUNA_USER, else admin) makes the teams');
  }
  const form = { username: __ENV.LUNA_USER || 'admin', password: __ENV.LUNA_PASSWORD };
  const answer = http.post(`${API}/auth/login`, form, { tags: { name: 'login' } });
  if (answer.status !== 200) fail(`login: ${answer.status} ${answer.error} ${answer.body}`);
  return { Authorization: `Bearer ${answer.json('access_token')}` };
}

export function setup() {
  const headers = administrator();
  const run = Date.now().toString(36);
  return Array.from({ length: TEAMS }, (_, n) => {
    const team = said('team', 'POST', '/teams', { name: `load ${run} ${n}` }, headers);
    const key = { name: 'load', scope: 'write', team_id: team.team_id };
    return { id: team.team_id, key: said('key', 'POST', '/api-keys', key, headers).key };
  });
}

// Every second team has a file that was cut: it must be found, and nothing else.
function files(isSound) {
  return Array.from({ length: FILES }, (_, n) => {
    let data = unpack(n % PICTURES);
    if (!isSound && n === FILES - 1) data = data.slice(0, data.byteLength / 2);
    return { name: `${String(n).padStart(4, '0')}.png`, data };
  });
}

function announced({ name, data }) {
  const sha256 = crypto.sha256(data, 'hex');
  return { filename: name, content_type: 'image/png', size_bytes: data.byteLength, sha256 };
}

export default function (teams) {
  let isRight = false;
  try {
    isRight = handsIn({ 'x-api-key': teams[(__VU - 1) % teams.length].key }, __VU % 2 === 0);
  } finally {
    // One that broke off has no right verdict either.
    right.add(isRight);
  }
}

function handsIn(headers, isSound) {
  const set = files(isSound);
  const start = { dataset_name: 'load', description: '', files: [] };
  const batches = [];
  for (let at = 0; at < set.length; at += 1000) batches.push(set.slice(at, at + 1000));

  let dataset;
  let targets = [];
  batches.forEach((batch, n) => {
    const list = batch.map(announced);
    const [path, body] =
      n === 0 ? ['/upload/start', { ...start, files: list }] : [`/upload/${dataset}/files`, { files: list }];
    const started = said('start', 'POST', path, body, headers);
    dataset = started.dataset_id;
    targets = targets.concat(started.upload_urls);
  });
  targets.forEach((target, n) => {
    const answer = asked('put', target.method, target.upload_url, set[n].data, target.headers);
    check(answer, { 'file taken': (it) => it.status === 200 });
  });
  said('complete', 'POST', '/upload/complete', { dataset_id: dataset }, headers);

  const began = Date.now();
  let status;
  do {
    sleep(1);
    status = said('status', 'GET', `/validation/${dataset}/status`, null, headers);
  } while (!status.completed_at && Date.now() - began < PATIENCE * 1000);
  waited.add(Date.now() - began);

  const results = status.validation_results || {};
  const isRight =
    status.status === 'completed' &&
    results.valid === isSound &&
    results.files_checked === FILES &&
    results.files_failed === (isSound ? 0 : 1);
  if (!isRight) console.error(`data set ${dataset}: ${JSON.stringify(status).slice(0, 500)}`);
  return isRight;
}

export function teardown(teams) {
  if (__ENV.KEEP) return;
  // A soak may outlive the session that made them.
  const headers = administrator();
  for (const { id } of teams) said('remove', 'DELETE', `/teams/${id}`, null, headers);
}
