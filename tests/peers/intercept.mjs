// A Node `ws` server for a page whose connections are relayed: echoes, and goes wrong as the query says.
import http from 'node:http';
import { WebSocketServer } from 'ws';

const server = http.createServer((_, answer) => answer.setHeader('Access-Control-Allow-Origin', '*').end('plain'));
const sockets = new WebSocketServer({ noServer: true, perMessageDeflate: true });
server.on('upgrade', (request, socket, head) => {
    const how = new URL(request.url, 'http://localhost').searchParams.get('m');
    const accept = () => sockets.handleUpgrade(request, socket, head, ws => {
        ws.on('message', (data, isBinary) => ws.send(data, { binary: isBinary }));
        if (how === '1008') ws.close(1008, 'Invalid token');
        if (how === 'terminate') setTimeout(() => ws.terminate(), 50);
    });
    if (how === '401') socket.end('HTTP/1.1 401 Unauthorized\r\nContent-Length: 7\r\nConnection: close\r\n\r\nno user');
    else if (how === 'slow') setTimeout(accept, 3000);
    else accept();
});
server.listen(0, '127.0.0.1', () => console.log(`listening on port ${server.address().port}`));
