// The broadcast of the ws library's README: `node server.js PORT CONTROL PROCESSES`.
// Phones connect to PORT. A POST to CONTROL is one publish. With two processes, the first only takes publishes and hands them on.

import cluster from 'node:cluster';
import { createServer } from 'node:http';
import { argv } from 'node:process';
import WebSocket, { WebSocketServer } from 'ws';

const [port, control, processes] = argv.slice(2).map(Number);

/** Serves phones; gives back what tells all of them. */
function serve() {
  const server = createServer();
  const sockets = new WebSocketServer({ server });
  server.listen({ host: '127.0.0.1', port, backlog: 4096 });
  return (alert) => {
    for (const phone of sockets.clients) {
      if (phone.readyState === WebSocket.OPEN) phone.send(alert);
    }
  };
}

/** Takes publishes, and hands each on. */
function takePublishes(broadcast) {
  const server = createServer((request, response) => {
    const parts = [];
    request.on('data', (part) => parts.push(part));
    request.on('end', () => {
      broadcast(Buffer.concat(parts).toString());
      response.writeHead(202, { 'Content-Length': 0 }).end();
    });
  });
  server.keepAliveTimeout = 3_600_000;
  server.listen({ host: '127.0.0.1', port: control });
}

if (processes === 1) {
  takePublishes(serve());
} else if (cluster.isPrimary) {
  const workers = Array.from({ length: processes }, () => cluster.fork());
  let starting = processes;
  cluster.on('listening', () => {
    starting -= 1;
    if (starting === 0) takePublishes((alert) => workers.forEach((worker) => worker.send(alert)));
  });
  // Ended by its starter, it waits for its workers: nobody else would.
  process.on('SIGTERM', () => {
    let running = processes;
    cluster.on('exit', () => {
      running -= 1;
      if (running === 0) process.exit();
    });
    workers.forEach((worker) => worker.process.kill());
  });
} else {
  process.on('message', serve());
}
