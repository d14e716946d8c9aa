// Node servers as people misconfigure them: `node misconfigured.mjs SCENARIO PORT`, run where express, socket.io and ws are
// installed. Each scenario is a whole server of a few lines, listening on 127.0.0.1.
import { createServer } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const express = require('express');
const { WebSocketServer } = require('ws');
const { Server: SocketIo } = require('socket.io');

const [, , name, portText] = process.argv;
const port = Number(portText);
const listen = (server) => server.listen(port, '127.0.0.1', () => console.log(`Server listening on port ${port}`));
const hello = (ws) => ws.send(JSON.stringify({ type: 'connection', message: 'hello' }));
const echo = (ws) => { hello(ws); ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary })); };
const socketIo = (options = {}, use = () => {}) => {
  const server = createServer();
  use(new SocketIo(server, options));
  listen(server);
};
/** A server of the guide's kind whose handler does `act` after its first message. */
const guide = (act) => {
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (ws, request) => {
    console.log(`[WebSocket] New connection attempt from: ${request.socket.remoteAddress}`);
    hello(ws);
    setTimeout(() => act(ws), 60);
  });
  listen(server);
};

// Who looks whether the port accepts may be gone before anything is written to it.
const tcp = (serve) => listen(createTcpServer((socket) => { socket.on('error', () => {}); serve(socket); }));

const scenarios = {
  // express
  'express-only': () => listen(createServer(express())),
  'express-spa': () => {
    const app = express();
    app.get('*', (_, response) => response.type('html').send('<!DOCTYPE html><html><body><div id="root"></div></body></html>'));
    listen(createServer(app));
  },
  'express-login': () => {
    const app = express();
    app.use((_, response) => response.redirect('/login'));
    listen(createServer(app));
  },
  'express-app-listen': () => {
    const app = express();
    new WebSocketServer({ server: createServer(app) }).on('connection', echo);
    app.listen(port, '127.0.0.1', () => console.log(`Server listening on port ${port}`));
  },
  'express-path': () => {
    const server = createServer(express());
    new WebSocketServer({ server, path: '/ws' }).on('connection', echo);
    listen(server);
  },
  'express-two-servers': () => {
    const server = createServer(express());
    new WebSocketServer({ server, path: '/chat' }).on('connection', echo);
    new WebSocketServer({ server, path: '/voice' }).on('connection', echo);
    listen(server);
  },
  'express-rate-limit': () => {
    const app = express();
    app.use((_, response) => response.status(429).set('Retry-After', '30').send('Too many requests, please try again later.'));
    listen(createServer(app));
  },
  'express-json-401': () => {
    const app = express();
    app.use((_, response) => response.status(401).json({ error: 'Unauthorized' }));
    listen(createServer(app));
  },
  'express-second-answer': () => {
    const server = createServer(express());
    new WebSocketServer({ server }).on('connection', () => {});
    server.on('upgrade', (_, socket) => socket.write('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n'));
    listen(server);
  },
  'express-upgraded-twice': () => {
    const server = createServer(express());
    new WebSocketServer({ server }).on('connection', echo);
    new WebSocketServer({ server }).on('connection', echo);
    listen(server);
  },

  // Socket.IO
  'socketio': () => socketIo(),
  'socketio-fast': () => socketIo({ pingInterval: 600, pingTimeout: 400 }),
  'socketio-forbidden': () => socketIo({ allowRequest: (_, decide) => decide('not allowed here', false) }),
  'socketio-polling-only': () => socketIo({ transports: ['polling'] }),
  'socketio-reject': () => socketIo({}, (io) => io.use((_, next) => next(new Error('invalid credentials')))),

  // The guide's server and its process
  'guide': () => guide(() => {}),
  'guide-throws': () => guide(() => { throw new TypeError("Cannot read properties of undefined (reading 'tenantId')"); }),
  'guide-rejects': () => guide(async () => { await Promise.reject(new Error('createCall failed')); }),
  'guide-exit': () => guide(() => process.exit(1)),
  'guide-exit-0': () => guide(() => process.exit(0)),
  'guide-kill': () => guide(() => process.kill(process.pid, 'SIGKILL')),
  'guide-abort': () => guide(() => process.abort()),
  'guide-memory': () => guide(() => { const all = []; for (;;) all.push(new Array(10_000).fill({ some: 'thing' }).map((x) => ({ ...x }))); }),
  'guide-database': () => guide((ws) => {
    console.error("PrismaClientInitializationError: Can't reach database server at `localhost:5432`");
    ws.close(1011, 'internal error');
  }),
  'guide-fatal': () => guide((ws) => {
    console.error('[WebSocket] ❌ Fatal error in connection handler: TypeError: x is undefined');
    ws.terminate();
  }),
  'guide-terminates': () => guide((ws) => ws.terminate()),
  'guide-throws-at-start': () => { throw new Error('DATABASE_URL must be set'); },
  'guide-no-module': () => import('./no-such-module.mjs'),
  'guide-ends-at-once': () => console.log('nothing to do'),

  // Not a WebSocket server at all
  'banner-ssh': () => tcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2\r\n')),
  'banner-smtp': () => tcp((socket) => socket.write('220 mail.example ESMTP ready\r\n')),
  'silent': () => tcp((socket) => socket.resume()),
  'half-answer': () => tcp((socket) => socket.once('data', () => socket.end('HTTP/1.1 101 Switching Pro'))),
  'ws-hanging': () => { const server = createServer(); server.on('upgrade', () => {}); listen(server); },
  'ws': () => new WebSocketServer({ port, host: '127.0.0.1' }, () => console.log(`Server listening on port ${port}`)).on('connection', echo)
    .on('error', (error) => { throw error; }),
};

const scenario = scenarios[name];
if (!scenario) {
  console.error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
await scenario();
