/** A phone's camera: what is read off a QR code that a page draws. */
import jsqr from 'jsqr'
import type { Locator } from 'playwright-core'

/** What is read off the drawing, at eight pixels a module. */
export async function scanned(code: Locator): Promise<string | undefined> {
  const pixels = await code.evaluate(async (drawn) => {
    const drawing = drawn.cloneNode(true) as SVGSVGElement
    const size = drawing.viewBox.baseVal.width * 8
    drawing.setAttribute('width', String(size))
    drawing.setAttribute('height', String(size))
    const picture = new Image()
    picture.src = `data:image/svg+xml,${encodeURIComponent(new XMLSerializer().serializeToString(drawing))}`
    await picture.decode()
    const pen = new OffscreenCanvas(size, size).getContext('2d')
    pen?.drawImage(picture, 0, 0)
    return { size, data: [...(pen?.getImageData(0, 0, size, size).data ?? [])] }
  })
  return jsqr(new Uint8ClampedArray(pixels.data), pixels.size, pixels.size)?.data
}
