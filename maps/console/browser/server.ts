/** The binary that the checks built, with a small demo city in a folder of its own: one for each file of tests. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const BINARY = process.env.MUSTER_BIN ?? join(ROOT, 'target/debug/muster')
/** Enough for all that is tested, and laid out in a moment. */
const COMPOUNDS = 60
/** Time for the server to lay out its city, s. */
const START_S = '90'

export interface Server {
  origin: string
  stop(): Promise<void>
}

/** In what a server differs from the demo's. */
export interface Differs {
  compounds?: number
  /** Keys as they stand in the configuration file, by their section. */
  config?: Record<string, string>
  /** The Redis that the city is kept in. */
  redis?: Redis
}

export async function startServer({ compounds = COMPOUNDS, config = {}, redis }: Differs = {}): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-browser-'))
  const file = join(folder, 'muster.toml')
  writeFileSync(file, withKeys(readFileSync(join(ROOT, 'config/demo.toml'), 'utf8'), config))
  const listen = `127.0.0.1:${await freePort()}`
  const shared = redis && { MUSTER_JOURNAL_URL: redis.url, MUSTER_DIRECTORY_KEY: '5a'.repeat(32) }
  const env = { ...process.env, MUSTER_DATA_DIR: join(folder, 'data'), MUSTER_LISTEN: listen, ...shared }
  const args = ['--config', file, 'serve', '--demo', '--demo-compounds', String(compounds)]
  const server = spawn(BINARY, args, { cwd: ROOT, env, stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  server.stderr.on('data', (bytes) => (said = (said + String(bytes)).slice(-4_000)))
  const origin = `http://${listen}`
  // The binary's own command waits for it; it ends early when the server does.
  const waits = spawn(BINARY, ['ready', '--server', origin, '--within-s', START_S], { cwd: ROOT, stdio: 'ignore' })
  server.once('exit', () => waits.kill())
  const code = await new Promise((done) => waits.once('exit', done))
  if (code !== 0) throw new Error(`the server did not start: ${said}`)
  async function stop(): Promise<void> {
    const ended = new Promise((done) => server.once('exit', done))
    server.kill('SIGTERM')
    await ended
    rmSync(folder, { recursive: true })
  }
  return { origin, stop }
}

/** A Redis that comes and goes. */
export interface Redis {
  url: string
  start(): Promise<void>
  /** As a power cut does. */
  kill(): Promise<void>
  /** Kills it and removes what it kept. */
  remove(): Promise<void>
}

export async function startRedis(): Promise<Redis> {
  const folder = mkdtempSync(join(tmpdir(), 'muster-redis-'))
  const port = await freePort()
  let running: ChildProcess
  async function start(): Promise<void> {
    const args = ['--port', String(port), '--bind', '127.0.0.1', '--dir', folder, '--appendonly', 'yes']
    running = spawn('redis-server', args, { stdio: ['ignore', 'pipe', 'ignore'] })
    await new Promise<void>((ready, failed) => {
      running.once('exit', () => failed(new Error('redis-server did not start')))
      running.stdout?.on('data', (said) => String(said).includes('Ready to accept connections') && ready())
    })
  }
  async function kill(): Promise<void> {
    const ended = new Promise((done) => running.once('exit', done))
    running.kill('SIGKILL')
    await ended
  }
  async function remove(): Promise<void> {
    await kill()
    rmSync(folder, { recursive: true })
  }
  await start()
  return { url: `redis://127.0.0.1:${port}/`, start, kill, remove }
}

function withKeys(toml: string, config: Record<string, string>): string {
  return Object.entries(config).reduce((text, [section, keys]) => {
    const head = `[${section}]`
    return text.includes(head) ? text.replace(head, `${head}\n${keys}`) : `${text}\n${head}\n${keys}\n`
  }, toml)
}

async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((done) => probe.listen(0, '127.0.0.1', done))
  const { port } = probe.address() as AddressInfo
  await new Promise((done) => probe.close(done))
  return port
}
