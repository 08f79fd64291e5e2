/** A network that can die without a word: a relay before the server, which stops passing bytes and closes nothing. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export class Network {
  private cutOff = false
  private readonly sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    /** Where the pages are found through it. */
    readonly origin: string,
  ) {}

  static async before(origin: string): Promise<Network> {
    const { hostname, port } = new URL(origin)
    const server = createServer()
    await new Promise<void>((done) => server.listen(0, hostname, done))
    const at = server.address() as AddressInfo
    const network = new Network(server, `http://${hostname}:${at.port}`)
    server.on('connection', (near) => network.relay(near, connect(Number(port), hostname)))
    return network
  }

  /** From now on nothing gets through, and nobody is told. */
  cut(): void {
    this.cutOff = true
    for (const socket of this.sockets) socket.pause()
  }

  mend(): void {
    this.cutOff = false
    for (const socket of this.sockets) socket.resume()
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy()
    this.server.close()
  }

  private relay(near: Socket, far: Socket): void {
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.sockets.add(from)
      from.on('data', (bytes) => to.write(bytes))
      from.on('error', () => to.destroy())
      from.on('close', () => {
        this.sockets.delete(from)
        to.destroy()
      })
      if (this.cutOff) from.pause()
    }
  }
}
