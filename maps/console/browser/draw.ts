/** Drawing on the map, with the mouse or with a finger. */
import type { Page } from 'playwright-core'
import { expect } from 'vitest'

/** Of the map's width and height. */
type Spot = readonly [x: number, y: number]

/** Chooses a tool, once the map is there to draw on. */
export async function takeTool(page: Page, name: string): Promise<void> {
  await expect.poll(() => page.getByRole('radio', { name, exact: true }).isEnabled(), { message: name }).toBe(true)
  await page.getByText(name, { exact: true }).click()
}

/** The corners of a rectangle, clicked one by one, or touched where the page is a phone's; Enter or the first corner once more ends it. */
export async function drawOver(page: Page, map: string, from: Spot, to: Spot, end: 'enter' | 'corner'): Promise<void> {
  const canvas = page.getByRole('application', { name: map })
  const box = await canvas.boundingBox()
  if (!box) throw new Error('the map is not to be seen')
  const touches = await page.evaluate(() => navigator.maxTouchPoints > 0)
  const corners: Spot[] = [from, [to[0], from[1]], to, [from[0], to[1]]]
  for (const [x, y] of end === 'corner' ? [...corners, from] : corners) {
    const position = { x: box.width * x, y: box.height * y }
    await (touches ? canvas.tap({ position }) : canvas.click({ position }))
  }
  if (end === 'enter') await page.keyboard.press('Enter')
}
