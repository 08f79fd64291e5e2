/** Stands before the server: can shut, so that nothing gets through, and can give out another service worker, as a newer release would. */
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'

export class Gate {
  private release = 1
  private isShut = false
  /** Something on the way answers requests to such an address, and not the server; `null` for none. */
  waylaid: RegExp | null = null
  /** Takes the live connections over; `null`: they pass byte by byte. */
  live: ((asked: IncomingMessage, near: Duplex, head: Buffer) => void) | null = null
  /** Ids of the commands that got through, in their order. */
  readonly commands: string[] = []
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly behind: URL,
    /** Where the pages are found through it. */
    readonly origin: string,
  ) {}

  static async before(origin: string): Promise<Gate> {
    const server = createServer()
    const behind = new URL(origin)
    await new Promise<void>((done) => server.listen(0, behind.hostname, done))
    const { port } = server.address() as AddressInfo
    const gate = new Gate(server, behind, `http://${behind.hostname}:${port}`)
    server.on('request', (asked, answer) => gate.pass(asked, answer))
    server.on('upgrade', (asked, near, head) => (gate.live ? gate.live(asked, near, head) : gate.passOn(asked, near)))
    server.on('connection', (socket) => gate.enter(socket))
    return gate
  }

  /** From now on the service worker is another one. */
  nextRelease(): void {
    this.release += 1
  }

  /** From now on no connection is taken, and those that are open break. */
  shut(): void {
    this.isShut = true
    for (const socket of this.sockets) socket.destroy()
  }

  reopen(): void {
    this.isShut = false
  }

  close(): void {
    this.shut()
    this.server.close()
  }

  private enter(socket: Socket): void {
    if (this.isShut) socket.destroy()
    this.sockets.add(socket)
    socket.once('close', () => this.sockets.delete(socket))
  }

  private pass(asked: IncomingMessage, answer: ServerResponse): void {
    const isWorker = asked.url === '/sw.js' && this.release > 1
    const { 'if-none-match': known, ...others } = asked.headers
    const headers = {
      ...others,
      ...(isWorker || !known ? {} : { 'if-none-match': known }),
      'accept-encoding': 'identity',
    }
    if (this.waylaid?.test(asked.url ?? '')) return void answer.writeHead(503).end()
    const command = asked.headers['idempotency-key']
    if (typeof command === 'string') this.commands.push(command)
    const { hostname: host, port } = this.behind
    const passed = request({ host, port, path: asked.url, method: asked.method, headers }, (got) => {
      const { 'content-length': _, etag: __, ...same } = got.headers
      answer.writeHead(got.statusCode ?? 502, isWorker ? same : got.headers)
      got.pipe(answer, { end: !isWorker })
      if (isWorker) got.once('end', () => answer.end(`\n// release ${this.release}`))
    })
    passed.once('error', () => answer.destroy())
    asked.pipe(passed)
  }

  /** The live connection, byte by byte. */
  private passOn(asked: IncomingMessage, near: Duplex): void {
    const far = connect(Number(this.behind.port), this.behind.hostname)
    const headers = Object.entries(asked.headers).map(([name, value]) => `${name}: ${String(value)}`)
    far.write([`GET ${asked.url} HTTP/1.1`, ...headers, '', ''].join('\r\n'))
    near.pipe(far).pipe(near)
    for (const socket of [near, far]) {
      socket.once('error', () => socket.destroy())
      socket.once('close', () => [near, far].forEach((one) => one.destroy()))
    }
  }
}
