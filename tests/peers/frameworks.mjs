// Node frameworks as people misconfigure them: `node frameworks.mjs SCENARIO PORT [BACKEND-PORT]`, run where they are installed.
// Each scenario is a whole server of a few lines, listening on 127.0.0.1; only what it needs is loaded.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';

const require = createRequire(`${process.cwd()}/`);
const [, , name, portText, backendText] = process.argv;
const port = Number(portText);
const backend = `http://127.0.0.1:${backendText}`;
const up = () => console.log(`Server listening on port ${port}`);
const listen = (server) => server.listen(port, '127.0.0.1', up);

/** An app of express-ws; `build` sets its routes. */
const expressWs = (build) => {
  const app = require('express')();
  require('express-ws')(app);
  build(app);
  listen(app);
};

/** An app of Fastify with @fastify/websocket; `build` sets its routes. */
const fastify = async (build, options = {}) => {
  const app = require('fastify')({ logger: true });
  await app.register(require('@fastify/websocket'), { options });
  await build(app);
  await app.listen({ port, host: '127.0.0.1' });
  up();
};

const socketIo = (options, use = () => {}) => {
  const server = createServer();
  use(new (require('socket.io').Server)(server, options));
  listen(server);
};

const scenarios = {
  // express-ws
  'express-ws': () => expressWs((app) => app.ws('/ws', (ws) => ws.send('ready'))),
  'express-ws-guard': () => expressWs((app) => {
    app.use((_, response) => response.status(401).json({ error: 'Unauthorized' }));
    app.ws('/ws', (ws) => ws.send('ready'));
  }),
  'express-ws-throws': () => expressWs((app) => app.ws('/ws', (ws) => { ws.send('ready'); throw new Error('tenant is missing'); })),
  'express-ws-too-late': () => {
    const app = require('express')();
    app.ws('/ws', (ws) => ws.send('ready'));
    require('express-ws')(app);
    listen(app);
  },
  'express-ws-other-server': () => {
    const app = require('express')();
    require('express-ws')(app);
    app.ws('/ws', (ws) => ws.send('ready'));
    listen(createServer(app));
  },

  // Fastify
  'fastify': () => fastify((app) => app.get('/ws', { websocket: true }, (socket) => socket.send('ready'))),
  'fastify-not-a-websocket': () => fastify((app) => app.get('/ws', async () => ({ hello: 'world' }))),
  'fastify-guard': () => fastify((app) => {
    app.addHook('preValidation', async (_, reply) => reply.code(401).send({ error: 'Unauthorized' }));
    app.get('/ws', { websocket: true }, (socket) => socket.send('ready'));
  }),
  'fastify-throws': () => fastify((app) => app.get('/ws', { websocket: true }, (socket) => { socket.send('ready'); throw new Error('tenant is missing'); })),
  'fastify-verify': () => fastify((app) => app.get('/ws', { websocket: true }, (socket) => socket.send('ready')), { verifyClient: (_, next) => next(false, 403, 'Forbidden') }),
  'fastify-no-plugin': async () => {
    const app = require('fastify')();
    app.get('/ws', { websocket: true }, async () => ({ hello: 'world' }));
    await app.listen({ port, host: '127.0.0.1' });
    up();
  },

  // Koa
  'koa': () => {
    const Koa = require('koa');
    listen(createServer(new Koa().callback()));
  },

  // Socket.IO
  'socketio-path': () => socketIo({ path: '/realtime' }),
  'socketio-origin': () => socketIo({ allowRequest: (request, decide) => decide(null, request.headers.origin === 'http://app.example') }),
  'socketio-reject': () => socketIo({}, (io) => io.use((_, next) => next(new Error('invalid credentials')))),
  'socketio-small': () => socketIo({ maxHttpBufferSize: 100 }),
  'socketio-2': () => {
    const server = createServer();
    require('socket.io-2')(server, { pingInterval: 600, pingTimeout: 400 });
    listen(server);
  },

  // graphql-ws
  'graphql-ws': () => {
    const { GraphQLSchema, GraphQLObjectType, GraphQLString } = require('graphql');
    const query = new GraphQLObjectType({ name: 'Query', fields: { hello: { type: GraphQLString } } });
    const server = createServer();
    const { WebSocketServer } = require('ws');
    require('graphql-ws/lib/use/ws').useServer({ schema: new GraphQLSchema({ query }), connectionInitWaitTimeout: 500 }, new WebSocketServer({ server, path: '/graphql' }));
    listen(server);
  },

  // Development servers and proxies written in Node
  'vite': async () => {
    const vite = await require('vite').createServer({
      root: process.cwd(), configFile: false, logLevel: 'error', optimizeDeps: { noDiscovery: true },
      server: { port, host: '127.0.0.1', strictPort: true, proxy: { '/ws': backend } },
    });
    await vite.listen();
    up();
  },
  'http-proxy-no-ws': () => {
    const { createProxyMiddleware } = require('http-proxy-middleware');
    listen(createServer(require('express')().use('/', createProxyMiddleware({ target: backend, logger: console }))));
  },
  'http-proxy-down': () => {
    const { createProxyMiddleware } = require('http-proxy-middleware');
    const proxy = createProxyMiddleware({ target: backend, ws: true, logger: console });
    const server = createServer(require('express')().use('/', proxy));
    server.on('upgrade', proxy.upgrade);
    listen(server);
  },
};

const scenario = scenarios[name];
if (!scenario) {
  console.error(`no scenario ${name}; there are: ${Object.keys(scenarios).join(' ')}`);
  process.exit(2);
}
await scenario();
