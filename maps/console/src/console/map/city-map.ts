/**
 * The map itself: MapLibre, told of single compounds. A change sets the feature-state of one compound and redraws that; the
 * tiles are never fetched anew for it.
 */
import { Map as GlMap, NavigationControl, ScaleControl, setWorkerUrl, type GeoJSONSource } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?worker&url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { AreaView, MapState } from '../../shared/schema'
import { addBase } from './base'
import { Bubbles, countByArea, type Bubble, type Level } from './bubbles'
import { colourOf, type Paint } from './paint'
import { hatch, STREETS_FROM_ZOOM, style } from './style'
import { viewOf } from './view'

setWorkerUrl(workerUrl)

/** Changzhi, until the areas are known. */
const START: [number, number, number, number] = [111.9, 35.8, 113.8, 37.2]
/** Bubbles are drawn anew at most so often, ms. */
const BUBBLES_MS = 500

const feature = (id: string) => ({ source: 'compounds', sourceLayer: 'compounds', id: Number(id) })

export interface CityMapOptions {
  container: HTMLElement
  /** All compounds as they stand; read, never changed. */
  compounds: ReadonlyMap<string, MapState>
  areas: ReadonlyMap<string, AreaView>
  /** The area that it shows first, and when none is chosen: where the dispatcher commands. */
  home: string
  choose: (compound: string) => void
}

export class CityMap {
  private readonly map: GlMap
  private bubbles: Bubbles
  private paint: Paint = 'mode'
  /** Only these are shown bright; empty for all. */
  private area = ''
  private chosen: string | null = null
  /** How each compound looks on the map, and what the bubbles tell. */
  private readonly seen = new Map<string, string>()
  private seenBubbles = ''
  /** Those that are hatched: a layer in which nothing is seen costs as much as a full one. */
  private readonly silent = new Set<string>()
  /** Compounds that stand out: those that an alert would hit. */
  private lit: ReadonlySet<string> = new Set()
  private litIn = new Map<string, number>()
  /** Whether a click chooses what lies there; not while somebody draws. */
  clicksChoose = true
  private bubblesTimer: ReturnType<typeof setTimeout> | undefined
  private loaded = false

  /** @throws where the browser has no WebGL 2 */
  constructor(private readonly options: CityMapOptions) {
    this.bubbles = new Bubbles(this.paint)
    const view = viewOf(options.home, options.areas)
    this.map = new GlMap({
      container: options.container,
      style: style(),
      ...(view ?? { bounds: START }),
      attributionControl: { compact: true },
      dragRotate: false,
      pitchWithRotate: false,
      maxZoom: 18,
      // Names that fade keep the whole map being drawn, twice a second on the worst night.
      fadeDuration: 0,
    })
    this.map.addControl(new NavigationControl({ showCompass: false }), 'bottom-right')
    this.map.addControl(new ScaleControl(), 'bottom-left')
    this.map.on('load', () => this.whenLoaded())
    this.map.on('zoomend', () => this.drawBubblesSoon())
    this.map.on('click', 'compounds', ({ features }) => {
      const id = features?.[0]?.id
      if (id !== undefined && this.clicksChoose) options.choose(String(id))
    })
    this.map.on('click', 'bubbles', ({ lngLat }) => {
      if (this.clicksChoose) this.map.easeTo({ center: lngLat, zoom: this.map.getZoom() + 2 })
    })
    for (const layer of ['compounds', 'bubbles']) {
      this.map.on('mouseenter', layer, () => (this.map.getCanvas().style.cursor = 'pointer'))
      this.map.on('mouseleave', layer, () => (this.map.getCanvas().style.cursor = ''))
    }
  }

  remove(): void {
    clearTimeout(this.bubblesTimer)
    this.map.remove()
  }

  /** Some compounds changed. */
  take(changed: Iterable<MapState>): void {
    for (const state of changed) {
      this.bubbles.take(state)
      if (this.loaded) this.colour(state)
    }
    if (this.loaded) this.showLayer('compounds-silent', this.silent.size > 0)
    this.drawBubblesSoon()
  }

  /** The colours tell something else from now on. */
  show(paint: Paint): void {
    this.paint = paint
    this.bubbles = new Bubbles(paint, this.area)
    this.take(this.options.compounds.values())
  }

  /** Only the compounds of this area are bright and counted; `''` for all. */
  keepTo(area: string): void {
    this.area = area
    this.bubbles = new Bubbles(this.paint, area)
    const view = viewOf(area || this.options.home, this.options.areas)
    if (view) this.map.easeTo(view)
    else this.map.fitBounds(START)
    this.take(this.options.compounds.values())
  }

  /** Marks a compound, and goes there where a place is given. */
  mark(compound: string | null, at?: [number, number]): void {
    const before = this.chosen
    this.chosen = compound
    for (const id of [before, compound]) {
      const state = id && this.options.compounds.get(id)
      if (state && this.loaded) this.colour(state)
    }
    if (at) this.map.easeTo({ center: at, zoom: Math.max(this.map.getZoom(), 15) })
  }

  /** These compounds stand out from now on, and no others. */
  light(compounds: ReadonlySet<string>): void {
    const before = this.lit
    this.lit = compounds
    this.litIn = countByArea(compounds)
    this.drawBubblesSoon()
    if (!this.loaded) return
    this.showLayer('compounds-lit', compounds.size > 0)
    const changed = [...before, ...compounds].filter((id) => before.has(id) !== compounds.has(id))
    for (const id of changed) this.map.setFeatureState(feature(id), { lit: compounds.has(id) })
  }

  /** Calls when the style is there, so that layers can be added; gives the map that they are added to. */
  onceLoaded(then: (map: GlMap) => void): void {
    if (this.loaded) then(this.map)
    else this.map.once('load', () => then(this.map))
  }

  private whenLoaded(): void {
    this.map.addImage('hatch', hatch())
    // Without it the map is the poorer, and works.
    addBase(this.map).catch((why: unknown) => console.error('base map', why))
    this.loaded = true
    const lit = this.lit
    this.lit = new Set()
    this.light(lit)
    this.take(this.options.compounds.values())
  }

  private showLayer(layer: string, visible: boolean): void {
    const visibility = visible ? 'visible' : 'none'
    if (this.map.getLayoutProperty(layer, 'visibility') !== visibility) {
      this.map.setLayoutProperty(layer, 'visibility', visibility)
    }
  }

  /** Most changes are no change of what is seen, and each that is draws the map anew. */
  private colour(state: MapState): void {
    const look = {
      colour: colourOf(this.paint, state),
      silent: state.silent,
      chosen: state.id === this.chosen,
      dim: !state.id.startsWith(this.area),
    }
    const seen = Object.values(look).join()
    if (this.seen.get(state.id) === seen) return
    this.seen.set(state.id, seen)
    if (state.silent) this.silent.add(state.id)
    else this.silent.delete(state.id)
    this.map.setFeatureState(feature(state.id), look)
  }

  private drawBubblesSoon(): void {
    if (!this.loaded) return
    this.bubblesTimer ??= setTimeout(() => {
      this.bubblesTimer = undefined
      this.drawBubbles()
    }, BUBBLES_MS)
  }

  /** From afar a bubble says how many of its compounds stand out. */
  private withLit(bubble: Omit<Bubble, 'at'>) {
    const lit = this.litIn.get(bubble.code) ?? 0
    return lit === 0 ? { ...bubble, lit } : { ...bubble, lit, label: `◎ ${lit} / ${bubble.count}` }
  }

  private drawBubbles(): void {
    const level: Level = this.map.getZoom() < STREETS_FROM_ZOOM ? 'county' : 'street'
    const features = this.bubbles.at(level, this.options.areas).map(({ at, ...properties }) => ({
      type: 'Feature' as const,
      geometry: { type: 'Point' as const, coordinates: at },
      properties: this.withLit(properties),
    }))
    const seen = JSON.stringify(features)
    if (this.seenBubbles === seen) return
    this.seenBubbles = seen
    this.map.getSource<GeoJSONSource>('bubbles')?.setData({ type: 'FeatureCollection', features })
  }
}
