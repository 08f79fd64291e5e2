/** A city's own base map: one file of tiles, read in ranges, drawn below our own borders and compounds. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { DESK, faults, launch, look, open, signIn } from './pages'
import { startServer, type Server } from './server'

const TILE = 256
const MAX_ZOOM = 8
/** The tiles' one colour: a green that no page of ours has. */
const COLOUR = [40, 220, 60] as const

let folder: string
let server: Server
let browser: Browser

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'muster-base-'))
  const path = join(folder, 'city.pmtiles')
  writeFileSync(path, pmtiles(png()))
  const keys = `base = "${path}"\nbase_attribution = "审图号 测试"\nbase_max_zoom = ${MAX_ZOOM}`
  server = await startServer({ config: { map: keys } })
  browser = await launch()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
  rmSync(folder, { recursive: true })
  expect(faults, 'errors in the pages').toEqual([])
})

/** A picture of one colour. */
function png(): Buffer {
  const chunk = (kind: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(kind), data])
    const length = Buffer.alloc(4)
    length.writeUInt32BE(data.length)
    const sum = Buffer.alloc(4)
    sum.writeUInt32BE(crc32(body))
    return Buffer.concat([length, body, sum])
  }
  const head = Buffer.alloc(13)
  head.writeUInt32BE(TILE, 0)
  head.writeUInt32BE(TILE, 4)
  head.set([8, 2, 0, 0, 0], 8)
  const row = Buffer.concat([Buffer.from([0]), ...Array.from({ length: TILE }, () => Buffer.from(COLOUR))])
  const pixels = deflateSync(Buffer.concat(Array.from({ length: TILE }, () => row)))
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', pixels), chunk('IEND', Buffer.alloc(0))])
}

function varint(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...varint(Math.floor(value / 128))]
}

/** PMTiles version 3 (github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md): one picture for all tiles down to `MAX_ZOOM`. */
function pmtiles(tile: Buffer): Buffer {
  const tiles = (4 ** (MAX_ZOOM + 1) - 1) / 3
  // One entry: tile 0, how many follow with the same picture, its length, its place plus one.
  const directory = Buffer.from([1, 0, tiles, tile.length, 1].flatMap(varint))
  const metadata = Buffer.from('{}')
  const head = Buffer.alloc(127)
  head.write('PMTiles')
  head.writeUInt8(3, 7)
  const at = [127, 127 + directory.length, 127 + directory.length + metadata.length] as const
  const numbers = [at[0], directory.length, at[1], metadata.length, at[2], 0, at[2], tile.length, tiles, 1, 1]
  numbers.forEach((value, i) => head.writeBigUInt64LE(BigInt(value), 8 + 8 * i))
  // Clustered, nothing compressed, pictures; from zoom 0.
  head.set([1, 1, 1, 2, 0, MAX_ZOOM], 96)
  const degrees = [-180, -85, 180, 85].map((value) => value * 1e7)
  degrees.forEach((value, i) => head.writeInt32LE(value, 102 + 4 * i))
  return Buffer.concat([head, directory, metadata, tile])
}

/** Whether the page shows much of a green that only the tiles can have brought. */
async function isGreen(page: Page): Promise<boolean> {
  const picture = (await page.locator('.maplibregl-canvas').screenshot()).toString('base64')
  return page.evaluate(async (encoded) => {
    const bytes = Uint8Array.from(atob(encoded), (letter) => letter.charCodeAt(0))
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const pen = new OffscreenCanvas(image.width, image.height).getContext('2d')
    pen?.drawImage(image, 0, 0)
    const pixels = pen?.getImageData(0, 0, image.width, image.height).data ?? []
    let green = 0
    for (let i = 0; i < pixels.length; i += 4) if (pixels[i + 1]! > 1.5 * pixels[i]! && pixels[i + 1]! > 60) green++
    return green * 4 > pixels.length / 10
  }, picture)
}

test('the tiles of the file lie below the city, with the credit that their owner asks for', async () => {
  const page = await open(browser, `${server.origin}/console`, DESK)
  const ranges: number[] = []
  page.on('response', (answer) => {
    if (answer.url().endsWith('.pmtiles')) ranges.push(answer.status())
  })
  await signIn(page, 'city1')
  await page.locator('.maplibregl-canvas').waitFor()
  await expect.poll(() => isGreen(page)).toBe(true)
  expect(new Set(ranges), 'parts, never the whole of gigabytes').toEqual(new Set([206]))
  await page.getByText('审图号 测试').waitFor({ state: 'attached' })
  await look(page, 'base-map')
})
