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
const SIDE = number('SIDE', 512);
// How long a team waits for a verdict before it calls the service broken.
const PATIENCE = number('PATIENCE', 1800);
const SOAK = __ENV.SOAK;
const PICTURES = Math.min(FILES, 8);

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
  const raw = new Uint8Array(side * (side + 1));
  for (let y = 0, at = 0; y < side; y += 1) {
    raw[at++] = 0;
    for (let x = 0; x < side; x += 1) {
      const lungs = Math.sin((x * (3 + (seed % 3))) / side) * Math.cos((y * 2.5) / side);
      raw[at++] = 128 + 90 * lungs + ((x * (seed + 7) + y * 13 + x * y) % 23);
    }
  }
  const parts = [0x78, 0x01];
  let [a, b] = [1, 0];
  for (let at = 0; at < raw.length; at += 65535) {
    const block = raw.subarray(at, at + 65535);
    const last = at + 65535 >= raw.length ? 1 : 0;
    const size = block.length;
    parts.push(last, size & 255, size >> 8, ~size & 255, (~size >> 8) & 255);
    for (const value of block) {
      parts.push(value);
      a = (a + value) % 65521;
      b = (b + a) % 65521;
    }
  }
  parts.push(b >> 8, b & 255, a >> 8, a & 255);

  const out = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
  const word = (n) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const chunk = (kind, data) => {
    out.push(...word(data.length));
    const begin = out.length;
    for (let n = 0; n < 4; n += 1) out.push(kind.charCodeAt(n));
    for (const value of data) out.push(value);
    let crc = 0xffffffff;
    for (let n = begin; n < out.length; n += 1) crc = crcTable[(crc ^ out[n]) & 255] ^ (crc >>> 8);
    out.push(...word((crc ^ 0xffffffff) >>> 0));
  };
  chunk('IHDR', [...word(side), ...word(side), 8, 0, 0, 0, 0]);
  chunk('IDAT', parts);
  chunk('IEND', []);
  return new Uint8Array(out).buffer;
}

// Made once for all teams; binary data is shared as text.
const pictures = new SharedArray('pictures', () =>
  Array.from({ length: PICTURES }, (_, seed) => encoding.b64encode(picture(seed, SIDE))),
);

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
    let data = encoding.b64decode(pictures[n % PICTURES], 'std');
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
