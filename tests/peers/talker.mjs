// A Node `ws` server that says a fixed talk and compares what is echoed: `node talker.mjs`, run where ws is installed.
//
// The path chooses: /server-closes ends with our Close, /client-closes waits for theirs. DEFLATE holds the options of
// permessage-deflate as JSON, or `false`. Each connection ends in one JSON line that begins with `talk `.
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';

const require = createRequire(`${process.cwd()}/`);
const { WebSocketServer } = require('ws');

const talk = JSON.parse(readFileSync(process.env.TALK));
const messages = talk.messages.map(({ kind, parts }) => ({ binary: kind === 'binary', parts: parts.map((part) => Buffer.from(part, 'base64')) }));

const server = createServer((_, response) => response.writeHead(426).end());
const perMessageDeflate = JSON.parse(process.env.DEFLATE);
new WebSocketServer({ server, perMessageDeflate }).on('connection', (ws, request) => {
  const report = { echoed: 0, wrong: [], pong: null, code: null, reason: null, extensions: ws.extensions };
  const speak = ({ parts, binary }) => {
    parts.forEach((part, index) => {
      const fin = index === parts.length - 1;
      ws.send(part, { binary, fin, compress: true });
      if (!fin) ws.ping(talk.ping);
    });
  };
  ws.on('message', (data, binary) => {
    const wanted = messages[report.echoed];
    if (wanted === undefined || wanted.binary !== binary || !Buffer.concat(wanted.parts).equals(data)) report.wrong.push(report.echoed);
    report.echoed += 1;
    if (report.echoed < messages.length) speak(messages[report.echoed]);
    else if (request.url.startsWith('/server-closes')) ws.close(4100, 'the talk is over');
  });
  ws.on('pong', (data) => { report.pong = data.toString(); });
  ws.on('close', (code, reason) => console.log(`talk ${JSON.stringify({ ...report, code, reason: reason.toString() })}`));
  ws.on('error', (error) => console.log(`error ${error.message}`));
  speak(messages[0]);
});
server.listen(0, '127.0.0.1', () => console.log(`listening on port ${server.address().port}`));
