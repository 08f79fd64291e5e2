/** What an eye sees on the map: the colour in which a compound is painted, read off the picture of the screen. */
import type { Page } from 'playwright-core'
import { shadesOf, type Paint } from '../src/console/map/paint'
import { HATCH } from '../src/console/map/style'

/** Side of the square in the middle of the map that is looked at, pixels: well within a compound to which the map went. */
const SIDE = 72
/** Of the land on which nothing is painted. */
const GROUND = { word: 'ground', colour: '#131d2b' }

/** How much of the middle of the map is stripes of the hatch, 0 to 1. */
export async function stripesInTheMiddle(page: Page): Promise<number> {
  const pixels = await middle(page)
  const shades = [HATCH.stripe, HATCH.ground, GROUND.colour].map((colour) => ({ colour, rgb: rgbOf(colour), seen: 0 }))
  for (const pixel of pixels) nearest(shades, pixel).seen += 1
  return (shades[0]?.seen ?? 0) / pixels.length
}

/** The word of the legend for what most of the middle of the map shows: where the map is after a compound was found. */
export async function shadeInTheMiddle(page: Page, paint: Paint): Promise<string | undefined> {
  const shades = [GROUND, ...shadesOf(paint)].map(({ word, colour }) => ({ word, rgb: rgbOf(colour), seen: 0 }))
  for (const pixel of await middle(page)) nearest(shades, pixel).seen += 1
  return shades.reduce((most, one) => (one.seen > most.seen ? one : most)).word
}

/** The pixels in the middle of the map: red, green and blue. */
async function middle(page: Page): Promise<number[][]> {
  const box = await page.locator('.maplibregl-canvas').boundingBox()
  if (!box) throw new Error('the map is not to be seen')
  const [x, y] = [box.x + (box.width - SIDE) / 2, box.y + (box.height - SIDE) / 2]
  const picture = await page.screenshot({ clip: { x, y, width: SIDE, height: SIDE } })
  const bytes = await page.evaluate(pixelsOf, picture.toString('base64'))
  return Array.from({ length: bytes.length / 4 }, (_, i) => bytes.slice(4 * i, 4 * i + 3))
}

/** Runs in the page, whose browser can read a PNG: red, green, blue and opacity of each pixel. */
async function pixelsOf(base64: string): Promise<number[]> {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
  const picture = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
  const pen = new OffscreenCanvas(picture.width, picture.height).getContext('2d')
  if (!pen) throw new Error('no canvas')
  pen.drawImage(picture, 0, 0)
  return [...pen.getImageData(0, 0, picture.width, picture.height).data]
}

const rgbOf = (hex: string): number[] => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
const apart = (a: readonly number[], b: readonly number[]): number =>
  a.reduce((sum, value, i) => sum + (value - (b[i] ?? 0)) ** 2, 0)

function nearest<T extends { rgb: number[] }>(shades: readonly T[], pixel: readonly number[]): T {
  return shades.reduce((best, one) => (apart(one.rgb, pixel) < apart(best.rgb, pixel) ? one : best))
}
