// Reads a HAR with the code with which Chromium's developer tools import one, and prints its requests as JSON lines.
import { HARRoot } from 'chrome-devtools-frontend/front_end/models/har/HARFormat.ts';
import { Importer } from 'chrome-devtools-frontend/front_end/models/har/Importer.ts';
import { readFileSync } from 'node:fs';

const { log } = new HARRoot(JSON.parse(readFileSync(process.argv[2], 'utf8')));
for (const request of Importer.requestsFromHARLog(log)) {
  const frames = request.frames().map((frame) => [frame.type, frame.opCode, frame.mask, frame.text, frame.time]);
  console.log(JSON.stringify({ url: request.url(), status: request.statusCode, type: request.resourceType().name(), frames }));
}
