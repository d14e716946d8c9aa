// A Node `ws` server with one thing wrong: `node node.mjs SCENARIO`, run where ws and jsonwebtoken are installed.
//
// It behaves as the server of the troubleshooting guide does (token in the query, checked with JWT_SECRET, a
// confirmation, the guide's console lines); a scenario replaces one part. It listens on port 0 and names the port in the
// guide's own line. HOST, JWT_SECRET, TLS_KEY, TLS_CERT and TLS_KEYLOG come from the environment.
import { createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { createRequire } from 'node:module';
import { appendFileSync, readFileSync } from 'node:fs';

const require = createRequire(`${process.cwd()}/`);
const { WebSocketServer } = require('ws');
const jwt = require('jsonwebtoken');

const secret = process.env.JWT_SECRET;
const rule = '='.repeat(40);

/** The guide's connection handler; answers true once the connection is confirmed. */
function welcome(ws, request) {
  console.log(`[WebSocket] ${rule}`);
  console.log(`[WebSocket] New connection attempt from: ${request.socket.remoteAddress}`);
  console.log(`[WebSocket] Request URL: ${request.url}`);
  let url;
  try {
    url = new URL(request.url, `http://${request.headers.host}`);
  } catch (error) {
    console.error('[WebSocket] ❌ Failed to parse URL:', error.message);
    ws.close(1002, 'Failed to parse URL');
    return false;
  }
  const token = url.searchParams.get('token');
  if (!token) {
    console.error('[WebSocket] ❌ No token provided');
    ws.close(1008, 'Authentication required');
    return false;
  }
  console.log(`[WebSocket] Token received, length: ${token.length}`);
  try {
    const claims = jwt.verify(token, secret);
    console.log(`[WebSocket] ✅ Token verified successfully for user: ${claims.userId} tenant: ${claims.tenantId}`);
  } catch (error) {
    console.error(`[WebSocket] ❌ Token verification failed: ${error.message}`);
    ws.close(1008, 'Authentication failed');
    return false;
  }
  confirm(ws);
  return true;
}

function confirm(ws) {
  ws.send(JSON.stringify({ type: 'connection', message: 'WebSocket connection established' }));
  console.log('[WebSocket] ✅ Connection confirmed message sent');
}

/** A connection handler that does `act` once the connection is confirmed and the message has left. */
function afterwards(act, delayMillis = 60) {
  return { connection: (ws, request) => welcome(ws, request) && setTimeout(() => act(ws, request), delayMillis) };
}

function echo(ws) {
  ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
}

/** An HTTP server that knows nothing of WebSocket. */
function plain(status, headers, body) {
  return { upgrade: 'none', request: (_, response) => response.writeHead(status, headers).end(body) };
}

/** An upgrade listener of one's own in place of the library's. */
function byHand(listener) {
  return { upgrade: listener };
}

// Each scenario: `connection` (the handler), `options` (of WebSocketServer), `request` (the HTTP listener), `upgrade`
// ('none', or a listener in place of the library's), `tls`, `before` (once, at start).
const scenarios = {
  'good': { connection: (ws, request) => { if (welcome(ws, request)) echo(ws); } },
  'compressing': { options: { perMessageDeflate: { threshold: 0 } }, connection: (ws, request) => { if (welcome(ws, request)) echo(ws); } },

  'exit-at-once': { connection: () => process.exit() },
  'exit-confirmed': afterwards(() => process.exit(1)),
  'sync-throw': { connection: () => { throw new Error('prisma is not defined'); } },
  'unhandled-rejection': { connection: async (ws, request) => { if (welcome(ws, request)) await Promise.reject(new Error('createCall failed')); } },
  'kill-9': afterwards(() => process.kill(process.pid, 'SIGKILL')),
  'exit-in-upgrade': byHand(() => process.exit(1)),

  'terminate': afterwards((ws) => ws.terminate()),
  'terminate-at-once': { connection: (ws) => ws.terminate() },
  'fatal-error': afterwards((ws) => {
    console.error('[WebSocket] ❌ Fatal error in connection handler: TypeError: Cannot read properties of undefined');
    console.error('    at handleAudioChunk (server.js:42:7)');
    ws.terminate();
  }),
  'reset': afterwards((_, request) => request.socket.resetAndDestroy()),
  'frame-cut': afterwards((_, request) => request.socket.end(Buffer.from([0x81, 0x7e, 0x10, 0x00, 0x61, 0x62]))),
  'http-body': afterwards((_, request) => request.socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'), 0),
  'http-body-first': { connection: (_, request) => request.socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n') },

  'close-empty': afterwards((ws) => ws.close()),
  'close-1000': afterwards((ws) => ws.close(1000, 'call ended')),
  'close-1001': afterwards((ws) => ws.close(1001, 'server shutting down')),
  'close-1011': afterwards((ws) => ws.close(1011, 'internal error')),
  'close-1012': afterwards((ws) => ws.close(1012, 'service restart')),
  'close-1013': afterwards((ws) => ws.close(1013, 'try again later')),
  'close-4001': afterwards((ws) => ws.close(4001, 'agent not found')),

  'max-payload': { options: { maxPayload: 1024 }, connection: (ws, request) => { if (welcome(ws, request)) { echo(ws); ws.on('error', () => {}); } } },
  'never-confirms': { connection: (ws) => ws.on('message', () => {}) },
  'other-greeting': { connection: (ws) => ws.send('{"type":"queued"}') },
  'heartbeat': {
    connection: (ws, request) => {
      if (!welcome(ws, request)) return;
      ws.isAlive = true;
      ws.on('pong', () => { ws.isAlive = true; });
      setInterval(() => { if (!ws.isAlive) ws.terminate(); ws.isAlive = false; ws.ping(); }, 1500).unref();
    },
  },

  'no-listener-404': plain(404, { 'Content-Type': 'text/plain' }, 'Cannot GET /'),
  'no-listener-200': plain(200, { 'Content-Type': 'application/json' }, '{"status":"ok"}'),
  'spa': plain(200, { 'Content-Type': 'text/html' }, '<!DOCTYPE html><html><body><div id="root"></div></body></html>'),
  'redirect-login': plain(302, { Location: '/login' }, ''),
  'status-429': plain(429, { 'Retry-After': '5' }, 'slow down'),
  'status-500': plain(500, {}, 'Internal Server Error'),
  'status-503': plain(503, {}, 'no upstream'),
  'wrong-path': { options: { path: '/voice' } },
  'verify-client': { options: { verifyClient: () => false } },
  'raw-401': byHand((_, socket) => { socket.write('HTTP/1.1 401 Unauthorized\r\n\r\n'); socket.destroy(); }),
  'refuses-subprotocol': { options: { handleProtocols: () => false }, connection: confirm },
  'upgrade-destroyed': byHand((_, socket) => socket.destroy()),
  'upgrade-ignored': byHand(() => {}),
  'upgrade-blocks': byHand(() => { for (const until = Date.now() + 60_000; Date.now() < until;); }),

  'tls': { tls: true, connection: (ws, request) => { if (welcome(ws, request)) echo(ws); } },

  // Something of everything: fragments, bytes, a ping, secrets in JSON and in base64, a cookie, and a close of its own.
  'medley': {
    connection: (ws, request) => {
      if (!welcome(ws, request)) return;
      const { PASSWORD, API_KEY } = process.env;
      console.log(`[auth] api key is API_KEY=${API_KEY}`);
      console.log(`> node server.js --secret ${secret}`);
      ws.send(JSON.stringify({ type: 'auth', password: PASSWORD, apiKey: API_KEY, at: Date.now() }));
      ws.send(JSON.stringify({ data: Buffer.from(JSON.stringify({ password: PASSWORD })).toString('base64') }));
      ws.send(`{"session":"${new URL(request.url, 'http://h').searchParams.get('token').slice(0, 30)}`, { fin: false });
      ws.send(`${new URL(request.url, 'http://h').searchParams.get('token').slice(30)}"}`, { fin: true });
      ws.send(Buffer.from([0, 1, 2, 254, 255]));
      ws.send(Buffer.alloc(70_000, 7));
      ws.ping('beat');
      ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
      setTimeout(() => ws.close(4001, 'agent not found'), 600);
    },
  },

  'flood': {
    connection: (ws) => {
      confirm(ws);
      const message = 'x'.repeat(120);
      const pour = () => {
        if (ws.readyState !== ws.OPEN) return;
        for (let sent = 0; sent < 500 && ws.bufferedAmount < 1 << 20; sent += 1) ws.send(message);
        setImmediate(pour);
      };
      pour();
      ws.on('error', () => {});
    },
  },
};

const name = process.argv[2];
const scenario = scenarios[name];
if (!scenario) {
  console.error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}

const answer = scenario.request ?? ((_, response) => response.writeHead(426, { 'Content-Type': 'text/plain' }).end('Upgrade Required'));
const server = scenario.tls
  ? createTlsServer({ key: readFileSync(process.env.TLS_KEY), cert: readFileSync(process.env.TLS_CERT) }, answer)
  : createServer(answer);
if (process.env.TLS_KEYLOG) server.on('keylog', (line) => appendFileSync(process.env.TLS_KEYLOG, line));
if (typeof scenario.upgrade === 'function') {
  server.on('upgrade', scenario.upgrade);
} else if (scenario.upgrade !== 'none') {
  new WebSocketServer({ server, ...scenario.options }).on('connection', scenario.connection ?? welcome);
}

console.log(`[WebSocket] JWT_SECRET configured: ${secret ? 'Yes (custom secret)' : 'No'}`);
server.listen(0, process.env.HOST ?? '127.0.0.1', () => {
  const { port } = server.address();
  console.log(`[WebSocket] Server listening on port ${port}`);
  console.log(`✅ Voice WebSocket Server running on ws://localhost:${port}`);
});
