// Tokens by Node's jsonwebtoken, run where it and ws are installed.
//
// `node tokens.mjs make`: tokens of every algorithm, with their keys, as JSON. `node tokens.mjs serve CASES.json`: a
// WebSocket server that verifies the token of the query with the secret of the case, `/case/N`, and closes with 1008 and
// the library's own text as the reason. It listens on port 0 and names it.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.cwd()}/`);
const jwt = require('jsonwebtoken');

const pem = { publicKeyEncoding: { type: 'spki', format: 'pem' }, privateKeyEncoding: { type: 'pkcs8', format: 'pem' } };
const keys = {
  RS: generateKeyPairSync('rsa', { modulusLength: 2048, ...pem }),
  ES256: generateKeyPairSync('ec', { namedCurve: 'P-256', ...pem }),
  ES384: generateKeyPairSync('ec', { namedCurve: 'P-384', ...pem }),
  ES512: generateKeyPairSync('ec', { namedCurve: 'P-521', ...pem }),
};

function make() {
  const claims = { userId: 'u-1', tenantId: 't-1', name: 'Zoë', big: Number.MAX_SAFE_INTEGER };
  const made = [];
  for (const alg of ['HS256', 'HS384', 'HS512']) {
    const secret = 'a secret of Node, 32 bytes or more';
    made.push({ alg, token: jwt.sign(claims, secret, { algorithm: alg, expiresIn: '1h' }), secret });
  }
  for (const alg of ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512']) {
    const key = keys[alg] ?? keys.RS;
    made.push({ alg, token: jwt.sign(claims, key.privateKey, { algorithm: alg, keyid: 'k1' }), secret: key.publicKey });
  }
  console.log(JSON.stringify(made));
}

function serve(path) {
  const cases = JSON.parse(readFileSync(path, 'utf8'));
  const { WebSocketServer } = require('ws');
  const server = createServer();
  new WebSocketServer({ server }).on('connection', (ws, request) => {
    const url = new URL(request.url, 'http://localhost');
    const { secret, options } = cases[Number(url.pathname.split('/').pop())];
    try {
      jwt.verify(url.searchParams.get('token'), secret, options);
      ws.send(JSON.stringify({ type: 'connected' }));
    } catch (error) {
      ws.close(1008, Buffer.from(error.message).subarray(0, 123).toString());
    }
  });
  server.listen(0, '127.0.0.1', () => console.log(`listening on port ${server.address().port}`));
}

if (process.argv[2] === 'make') make();
else serve(process.argv[3]);
