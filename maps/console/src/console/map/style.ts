/** The map's style: our own data on a dark ground, nothing from another host, no sprite, no glyph server. */
import type { StyleSpecification } from 'maplibre-gl'

/** Tiles of compounds exist from here on in; farther out bubbles stand for streets and counties. */
export const TILES_FROM_ZOOM = 10
export const TILES_TO_ZOOM = 14
/** Bubbles of counties below this zoom, of streets from it. */
export const STREETS_FROM_ZOOM = 9.2
/** Compounds take over from the streets' bubbles here. */
export const COMPOUNDS_FROM_ZOOM = 11.5

/** Of what stands out: no shade of any paint. */
const LIT = '#ff5cf4'
/** Another layer draws the edge: it need not be smoothed, which would draw the area once more. */
const LINED = { 'fill-antialias': false }
const LABEL_FONT = ['sans-serif']

/** One of our own files, with the credit that its licence asks for (`maps/data/LICENCES.md`). */
const file = (name: string, attribution: string) => ({
  type: 'geojson' as const,
  data: `${location.origin}/map-data/${name}.geojson`,
  attribution,
})
const nothing = { type: 'geojson' as const, data: { type: 'FeatureCollection' as const, features: [] } }

export function style(): StyleSpecification {
  return {
    version: 8,
    sources: {
      counties: file('changzhi-counties', '国家地理信息公共服务平台 天地图'),
      rivers: file('rivers', 'GSHHG / WDBII'),
      water: file('water', '© OpenStreetMap contributors'),
      compounds: {
        type: 'vector',
        tiles: [`${location.origin}/tiles/compounds/{z}/{x}/{y}.mvt`],
        minzoom: TILES_FROM_ZOOM,
        maxzoom: TILES_TO_ZOOM,
      },
      bubbles: { ...nothing, promoteId: 'code' },
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': '#0b111b' } },
      { id: 'counties', type: 'fill', source: 'counties', paint: { ...LINED, 'fill-color': '#131d2b' } },
      {
        id: 'county-lines',
        type: 'line',
        source: 'counties',
        paint: { 'line-color': '#3d5270', 'line-width': 1.2, 'line-dasharray': [3, 2] },
      },
      { id: 'water', type: 'fill', source: 'water', paint: { ...LINED, 'fill-color': '#1c3b63' } },
      {
        id: 'rivers',
        type: 'line',
        source: 'rivers',
        paint: { 'line-color': '#2a5a94', 'line-width': ['interpolate', ['linear'], ['zoom'], 8, 1.2, 14, 5] },
      },
      {
        id: 'compounds',
        type: 'fill',
        source: 'compounds',
        'source-layer': 'compounds',
        minzoom: COMPOUNDS_FROM_ZOOM,
        paint: {
          ...LINED,
          'fill-color': ['to-color', ['feature-state', 'colour'], '#5b6b80'],
          'fill-opacity': ['case', ['boolean', ['feature-state', 'dim'], false], 0.15, 0.8],
        },
      },
      {
        id: 'compounds-silent',
        type: 'fill',
        source: 'compounds',
        'source-layer': 'compounds',
        minzoom: COMPOUNDS_FROM_ZOOM,
        layout: { visibility: 'none' },
        paint: {
          ...LINED,
          'fill-pattern': 'hatch',
          'fill-opacity': ['case', ['boolean', ['feature-state', 'silent'], false], 1, 0],
        },
      },
      {
        id: 'compounds-lit',
        type: 'line',
        source: 'compounds',
        'source-layer': 'compounds',
        layout: { visibility: 'none' },
        paint: {
          'line-color': LIT,
          'line-width': ['interpolate', ['linear'], ['zoom'], TILES_FROM_ZOOM, 5, 15, 3],
          'line-opacity': ['case', ['boolean', ['feature-state', 'lit'], false], 1, 0],
        },
      },
      {
        id: 'compounds-edge',
        type: 'line',
        source: 'compounds',
        'source-layer': 'compounds',
        minzoom: COMPOUNDS_FROM_ZOOM,
        paint: {
          'line-color': ['case', ['boolean', ['feature-state', 'chosen'], false], '#ffffff', '#0b111b'],
          'line-width': ['case', ['boolean', ['feature-state', 'chosen'], false], 3, 0.6],
        },
      },
      {
        id: 'river-names',
        type: 'symbol',
        source: 'rivers',
        layout: { 'symbol-placement': 'line', 'text-field': ['get', 'name'], 'text-size': 12, 'text-font': LABEL_FONT },
        paint: { 'text-color': '#7fb2ee', 'text-halo-color': '#0b111b', 'text-halo-width': 1.5 },
      },
      {
        id: 'compound-names',
        type: 'symbol',
        source: 'compounds',
        'source-layer': 'compounds',
        minzoom: 14.5,
        layout: { 'text-field': ['get', 'name'], 'text-size': 12, 'text-font': LABEL_FONT },
        paint: { 'text-color': '#eef2f7', 'text-halo-color': '#0b111b', 'text-halo-width': 1.5 },
      },
      {
        id: 'bubbles',
        type: 'circle',
        source: 'bubbles',
        maxzoom: COMPOUNDS_FROM_ZOOM,
        layout: { 'circle-sort-key': ['get', 'rank'] },
        paint: {
          'circle-color': ['to-color', ['get', 'colour']],
          'circle-radius': ['interpolate', ['linear'], ['sqrt', ['get', 'count']], 1, 11, 10, 19, 32, 30],
          'circle-opacity': 0.85,
          'circle-stroke-color': ['case', ['>', ['get', 'lit'], 0], LIT, '#0b111b'],
          'circle-stroke-width': ['case', ['>', ['get', 'lit'], 0], 4, 1.5],
        },
      },
      {
        id: 'bubble-names',
        type: 'symbol',
        source: 'bubbles',
        maxzoom: COMPOUNDS_FROM_ZOOM,
        layout: {
          'text-field': ['get', 'name'],
          'text-size': 12,
          'text-font': LABEL_FONT,
          'text-variable-anchor': ['bottom', 'top', 'left', 'right'],
          'text-radial-offset': ['interpolate', ['linear'], ['sqrt', ['get', 'count']], 1, 1, 10, 1.7, 32, 2.6],
        },
        paint: { 'text-color': '#ffffff', 'text-halo-color': '#0b111b', 'text-halo-width': 1.6 },
      },
      {
        id: 'bubble-counts',
        type: 'symbol',
        source: 'bubbles',
        maxzoom: COMPOUNDS_FROM_ZOOM,
        // The topmost layer is laid out first, the worst first in it: where circles lie on each other, a number goes before a name.
        layout: {
          'text-field': ['get', 'label'],
          'text-size': 11,
          'text-font': LABEL_FONT,
          'text-padding': 0,
          'symbol-sort-key': ['-', ['get', 'rank']],
        },
        paint: { 'text-color': '#ffffff', 'text-halo-color': '#0b111b', 'text-halo-width': 1.6 },
      },
    ],
  }
}

/** Of what is hatched. */
export const HATCH = { ground: '#4a5666', stripe: '#c3cfde' }

/** Diagonal lines on grey: unknown, never fine. */
export function hatch(): ImageData {
  const side = 12
  const canvas = new OffscreenCanvas(side, side)
  const pen = canvas.getContext('2d')
  if (!pen) return new ImageData(side, side)
  pen.fillStyle = HATCH.ground
  pen.fillRect(0, 0, side, side)
  pen.strokeStyle = HATCH.stripe
  pen.lineWidth = 2.5
  for (const from of [-side, 0, side]) {
    pen.beginPath()
    pen.moveTo(from, side)
    pen.lineTo(from + side, 0)
    pen.stroke()
  }
  return pen.getImageData(0, 0, side, side)
}
