/** The city's own base map below everything of ours, where its operators configured one (`[map]` in config/muster.toml). */
import { addProtocol, type LayerSpecification, type Map as GlMap, type SourceSpecification } from 'maplibre-gl'
import { api, take } from '../../shared/api'
import type { BaseMap } from '../../shared/schema'

/** The layer of ours above which the base map lies: it hides our plain ground, never water, borders or compounds. */
const BELOW = 'water'
/** Pictures are dimmed: the colours that tell something are those of the compounds. */
const PICTURE: LayerSpecification = {
  id: 'base-picture',
  type: 'raster',
  source: 'base',
  paint: { 'raster-brightness-max': 0.55, 'raster-saturation': -0.5 },
}

/** @throws Refused when the server cannot be asked; there is no base map then, and all the rest is drawn */
export async function addBase(map: GlMap): Promise<void> {
  const base = await take(api.GET('/api/v1/map/base'))
  if (!base) return
  if (base.is_file) await readFiles()
  map.addSource('base', sourceOf(base))
  for (const layer of layersOf(base)) map.addLayer(layer, BELOW)
}

/** Teaches the map to read one file in ranges; comes only where there is such a file. */
async function readFiles(): Promise<void> {
  const { Protocol } = await import('pmtiles')
  addProtocol('pmtiles', new Protocol().tile)
}

export function sourceOf({ tiles, is_file, max_zoom, attribution, layers }: BaseMap): SourceSpecification {
  const from = is_file ? { url: `pmtiles://${location.origin}${tiles}` } : { tiles: [tiles] }
  const common = { ...from, maxzoom: max_zoom, attribution }
  return layers.length > 0 ? { type: 'vector', ...common } : { type: 'raster', tileSize: 256, ...common }
}

/** As the city's file says; the server has looked at nothing but ids and sources, the map refuses what is no layer. */
export function layersOf({ layers }: BaseMap): LayerSpecification[] {
  return layers.length > 0 ? (layers as unknown as LayerSpecification[]) : [PICTURE]
}
