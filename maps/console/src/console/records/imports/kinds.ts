/** What can be imported, with an example of each file: the ones of `config/samples`, as they are tested with the binary. */
import areas from '../../../../../../config/samples/areas.csv?raw'
import compounds from '../../../../../../config/samples/compounds.geojson?raw'
import people from '../../../../../../config/samples/people.csv?raw'
import plans from '../../../../../../config/samples/plans.csv?raw'
import posts from '../../../../../../config/samples/posts.csv?raw'
import type { Datum, Kind } from '../../../shared/schema'

export interface ImportKind {
  kind: Kind
  sample: string
  /** What the file is called when it is kept. */
  file: string
  /** Whether it has coordinates, so that their grid must be said. */
  needsDatum: boolean
}

/** In the order in which a new city takes them in: each needs those before it. */
export const KINDS: readonly ImportKind[] = [
  { kind: 'areas', sample: areas, file: 'areas.csv', needsDatum: false },
  { kind: 'compounds', sample: compounds, file: 'compounds.geojson', needsDatum: true },
  { kind: 'posts', sample: posts, file: 'posts.csv', needsDatum: false },
  { kind: 'people', sample: people, file: 'people.csv', needsDatum: false },
  { kind: 'plans', sample: plans, file: 'plans.csv', needsDatum: false },
]
export const DATUMS: readonly Datum[] = ['wgs84', 'gcj02', 'bd09']

/** The names of its columns; a file of features has none. */
export const columnsOf = ({ sample, file }: ImportKind): string[] =>
  file.endsWith('.csv') ? (sample.split('\n')[0] ?? '').split(',') : []

/** Without this mark spreadsheets read Chinese as gibberish. */
const BYTE_ORDER_MARK = '\uFEFF'

/** The example as a file. */
export function sampleFile({ sample, file }: ImportKind): Blob {
  const text = file.endsWith('.csv') ? BYTE_ORDER_MARK + sample : sample
  return new Blob([text], { type: 'application/octet-stream' })
}
