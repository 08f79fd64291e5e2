/**
 * Drawing on the city's map: terra-draw holds the outlines and circles while they are drawn, and this tells what they are. Rivers
 * and outlines with holes cannot be drawn; they are shown in layers of their own.
 */
import type { GeoJSONSource, Map as GlMap } from 'maplibre-gl'
import {
  TerraDraw,
  TerraDrawCircleMode,
  TerraDrawPolygonMode,
  TerraDrawSelectMode,
  type GeoJSONStoreFeatures,
  type HexColor,
} from 'terra-draw'
import { TerraDrawMapLibreGLAdapter } from 'terra-draw-maplibre-gl-adapter'
import { newId } from '../../shared/api'
import { boundsOf, circleOf, ringOf, type Point } from '../map/geometry'
import { isShape, type Piece, type Shape } from './target'

/** What a click on the map does. */
export const TOOLS = ['compound', 'polygon', 'circle', 'edit'] as const
export type Tool = (typeof TOOLS)[number]
/** terra-draw's name for each; picking compounds is not its business. */
const MODE: Record<Tool, string> = { compound: 'static', polygon: 'polygon', circle: 'circle', edit: 'select' }

const INCLUDED: HexColor = '#ffd24d'
const EXCLUDED: HexColor = '#ff8a80'
/** Of a tile at zoom 0, metres a pixel at the equator. */
const METRES_A_PIXEL = 78_271.517

const colour = ({ properties }: GeoJSONStoreFeatures): HexColor => (properties.out ? EXCLUDED : INCLUDED)

function modes() {
  const styles = { fillColor: colour, fillOpacity: 0.15, outlineColor: colour, outlineWidth: 3 }
  const select = {
    selectedPolygonColor: colour,
    selectedPolygonFillOpacity: 0.25,
    selectedPolygonOutlineColor: '#ffffff' as const,
    selectedPolygonOutlineWidth: 3,
  }
  const corners = { draggable: true, midpoints: true, deletable: true }
  return [
    new TerraDrawPolygonMode({ styles }),
    // Drawn as the server reckons it: round on the earth, not on the screen.
    new TerraDrawCircleMode({ styles, projection: 'globe' }),
    new TerraDrawSelectMode({
      styles: select,
      flags: {
        polygon: { feature: { draggable: true, coordinates: corners } },
        circle: { feature: { draggable: true, coordinates: { resizable: 'center-fixed' } } },
      },
    }),
  ]
}

export class Drawing {
  private readonly draw: TerraDraw
  /** While pieces are put in from outside, nothing is told back. */
  private putting = false
  /** The shapes that were shown last: an outline that has too few corners to be told of is not among them. */
  private shown = new Set<string>()

  /** @param drawn is told of all that is drawn, also while it is still being drawn */
  constructor(
    private readonly map: GlMap,
    private readonly drawn: (shapes: Shape[]) => void,
    finished: () => void,
  ) {
    addLayers(map)
    const idStrategy = { isValidId: (id: unknown) => typeof id === 'string', getId: newId }
    this.draw = new TerraDraw({ adapter: new TerraDrawMapLibreGLAdapter({ map }), modes: modes(), idStrategy })
    this.draw.start()
    this.draw.on('change', () => {
      if (!this.putting) this.drawn(this.shapes())
    })
    this.draw.on('finish', (_, { action }) => {
      if (action === 'draw') finished()
    })
  }

  use(tool: Tool): void {
    this.draw.setMode(MODE[tool])
  }

  /** Whether the map holds this piece as a shape that can be changed. */
  holds(id: string): boolean {
    return this.draw.hasFeature(id)
  }

  /** Shows the pieces as they are now: those that were added, taken away or turned round elsewhere. */
  show(pieces: readonly Piece[]): void {
    this.putting = true
    const wanted = new Map(pieces.filter(isShape).map((shape) => [shape.id, shape]))
    this.remove([...this.shown].filter((id) => !wanted.has(id)))
    for (const shape of wanted.values()) {
      const held = this.draw.getSnapshotFeature(shape.id)
      if (!held && canBeHeld(shape)) this.draw.addFeatures([featureOf(shape)])
      if (held && (held.properties.out ?? false) !== shape.out) {
        this.draw.updateFeatureProperties(shape.id, { out: shape.out })
      }
    }
    this.shown = new Set(wanted.keys())
    this.putting = false
    const others = pieces.flatMap((piece) => (isShape(piece) && canBeHeld(piece) ? [] : [extra(piece)]))
    this.map.getSource<GeoJSONSource>('target')?.setData({ type: 'FeatureCollection', features: others.flat() })
  }

  goTo(points: readonly Point[]): void {
    this.map.fitBounds(boundsOf(points), { padding: 60, maxZoom: 15, animate: false })
  }

  stop(): void {
    this.draw.stop()
  }

  private remove(ids: readonly string[]): void {
    const here = ids.filter((id) => this.holds(id))
    // What is being drawn or changed just now is let go of first.
    if (here.length > 0) this.draw.setMode(this.draw.getMode())
    this.draw.removeFeatures(here.filter((id) => this.holds(id)))
  }

  private shapes(): Shape[] {
    return this.draw
      .getSnapshot()
      .filter(isDrawn)
      .flatMap((feature): Shape[] => {
        const [ring] = feature.geometry.type === 'Polygon' ? feature.geometry.coordinates : []
        // An outline of two corners is none yet.
        if (!ring || new Set(ring.map(String)).size < 3) return []
        const [id, corners] = [idOf(feature), ring.map(([lon = 0, lat = 0]): Point => [lon, lat])]
        const out = feature.properties.out === true
        if (feature.properties.mode === 'circle') return [{ id, out, kind: 'circle', ...circleOf(corners) }]
        return [{ id, out, kind: 'polygon', rings: [corners] }]
      })
  }
}

/** Not one of the points by which a shape is changed. */
const isDrawn = ({ geometry, properties }: GeoJSONStoreFeatures): boolean =>
  geometry.type === 'Polygon' && (properties.mode === 'polygon' || properties.mode === 'circle')
const idOf = ({ id }: GeoJSONStoreFeatures): string => String(id)
const canBeHeld = (shape: Shape): boolean => shape.kind === 'circle' || shape.rings.length === 1

function featureOf(shape: Shape): GeoJSONStoreFeatures {
  const coordinates = shape.kind === 'circle' ? [ringOf(shape.center, shape.radiusKm)] : shape.rings
  const properties: GeoJSONStoreFeatures['properties'] = { mode: shape.kind, out: shape.out }
  if (shape.kind === 'circle') properties.radiusKilometers = shape.radiusKm
  const geometry = { type: 'Polygon' as const, coordinates: coordinates.map(rounded) }
  return { type: 'Feature', id: shape.id, geometry, properties }
}

/** terra-draw takes nine decimals at most: a tenth of a millimetre. */
const rounded = (ring: readonly Point[]): Point[] =>
  ring.map(([lon, lat]) => [Math.round(lon * 1e9) / 1e9, Math.round(lat * 1e9) / 1e9])

type Extra = { type: 'Feature'; geometry: GeoJSON.Geometry; properties: { colour: string; zoom0: number } }

/** A piece that is shown beside the drawn ones; `zoom0` is how wide its line is at zoom 0, pixels. */
function extra(piece: Piece): Extra[] {
  const tint = piece.out ? EXCLUDED : INCLUDED
  if (piece.kind === 'polygon') {
    const geometry = { type: 'Polygon' as const, coordinates: piece.rings }
    return [{ type: 'Feature', geometry, properties: { colour: tint, zoom0: 0 } }]
  }
  if (piece.kind !== 'river') return []
  return piece.lines.map((coordinates) => {
    const [, lat = 0] = coordinates[0] ?? []
    const zoom0 = (2 * piece.withinM) / (METRES_A_PIXEL * Math.cos((lat * Math.PI) / 180))
    return { type: 'Feature', geometry: { type: 'LineString', coordinates }, properties: { colour: tint, zoom0 } }
  })
}

/** As wide as it is on the ground: a pixel is half as many metres at each zoom. */
const DEEPEST = 22
function addLayers(map: GlMap): void {
  if (map.getSource('target')) return
  map.addSource('target', { type: 'geojson', data: { type: 'FeatureCollection', features: [] } })
  const zoom0 = ['get', 'zoom0'] as const
  map.addLayer({
    id: 'target-bands',
    type: 'line',
    source: 'target',
    layout: { 'line-cap': 'round', 'line-join': 'round' },
    paint: {
      'line-color': ['get', 'colour'],
      'line-opacity': 0.25,
      'line-width': [
        'interpolate',
        ['exponential', 2],
        ['zoom'],
        0,
        [...zoom0],
        DEEPEST,
        ['*', [...zoom0], 2 ** DEEPEST],
      ],
    },
  })
  map.addLayer({
    id: 'target-lines',
    type: 'line',
    source: 'target',
    paint: { 'line-color': ['get', 'colour'], 'line-width': 3 },
  })
}
